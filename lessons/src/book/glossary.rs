//! The glossary of the book.

/// A term, its meaning, and the lesson that introduces it.
pub(super) struct Word {
    pub word: &'static str,
    pub meaning: &'static str,
    pub lesson: u32,
}

const fn word(word: &'static str, lesson: u32, meaning: &'static str) -> Word {
    Word { word, meaning, lesson }
}

pub(super) const WORDS: &[Word] = &[
    word("adjoint", 2, "How much the output moves when a node moves by 1; filled from the output backwards."),
    word(
        "AUC",
        16,
        "The area under a ROC curve: how often a strange row scores above a usual one. 1/2 is guessing.",
    ),
    word("audit", 9, "Every claim about a bijection, each with its evidence."),
    word(
        "autoregressive",
        12,
        "Each variable is transformed depending on those before it and on nothing else.",
    ),
    word("base", 8, "The distribution of z: what a flow starts from, usually a standard normal."),
    word(
        "baseline",
        19,
        "A number subtracted from what the score function multiplies: the mean stays, the variance may fall.",
    ),
    word("bijection", 1, "A map f: z → x that is one-to-one and onto, so that every x has exactly one z."),
    word("bin", 21, "The stretch of a spline between two knots."),
    word("Cayley transform", 22, "(1 + A)⁻¹·(1 - A) with A = -Aᵀ: a rotation, whose determinant is 1."),
    word(
        "change of variables",
        1,
        "p(x) = p(z)/|det J_f(z)| with z = f⁻¹(x): stretching lowers the density, so that probability is \
         preserved.",
    ),
    word(
        "conditioner",
        11,
        "The network that computes the transformer's parameters, for example scale and shift in an affine \
         coupling layer.",
    ),
    word("context", 17, "Additional input of a layer that it does not transform: the c of p(x | c)."),
    word(
        "continuous flow",
        20,
        "Points that move along dz/dt = v(z, t) for a time; ln p changes by -tr ∂v/∂z a unit of time.",
    ),
    word(
        "contraction",
        23,
        "A map that brings any two points nearer to one another, by a factor L < 1 at least.",
    ),
    word(
        "coupling",
        11,
        "A layer that leaves some variables unchanged and transforms the others with parameters computed \
         from the unchanged ones.",
    ),
    word("density", 1, "Probability per unit of length, area or volume. It integrates to 1."),
    word("derivation", 9, "Everything that follows from `forward`, as a document, step by step."),
    word(
        "determinant lemma",
        23,
        "det(T + U·V) = det T·det(1 + V·T⁻¹·U): a large determinant by a small one.",
    ),
    word(
        "diffusion",
        18,
        "A fixed process that adds noise to data, and a network that removes it step by step.",
    ),
    word(
        "divergence of a field",
        20,
        "tr ∂v/∂z, the sum of ∂vᵢ/∂zᵢ: how fast a small volume grows that moves along v.",
    ),
    word(
        "ELBO",
        18,
        "The evidence lower bound: the mean of ln p(x, z) - ln q(z | x) over z from q. At most ln p(x).",
    ),
    word("encoder", 19, "What gives the parameters of q(z | x) as functions of x."),
    word(
        "energy distance",
        18,
        "2·E|X - Y| - E|X - X'| - E|Y - Y'| of two samples: 0 if and only if they have one distribution.",
    ),
    word("entropy", 13, "H(p), the mean of -ln p over p itself: the floor of the NLL."),
    word("evidence", 7, "How a claim is known: proven, checked, not proven, or refuted."),
    word("fixed point", 23, "A point that a map leaves where it is. A contraction has exactly one (Banach)."),
    word("flow", 8, "Layers and a base: an exact density that can be sampled in one pass."),
    word(
        "flow matching",
        20,
        "v is learned by a mean square: near x - z at points between noise z and data x.",
    ),
    word(
        "GAN",
        18,
        "Generative adversarial network: a generator, and a discriminator that tells its samples from data. No density.",
    ),
    word("held out", 8, "Rows that were not used in the fit, to evaluate it."),
    word("Hutchinson's estimate", 20, "εᵀAε with random ε of mean 0 and variance 1: its mean is tr A."),
    word("IAF", 12, "Inverse autoregressive flow: the network reads z, so that sampling is one pass."),
    word(
        "Jacobian",
        3,
        "The matrix of all first derivatives, J[i][j] = ∂xᵢ/∂zⱼ: f as a linear map, close by.",
    ),
    word("kernel density", 18, "The mean of small normal densities about the points of a sample."),
    word(
        "KL divergence",
        13,
        "KL(p‖q), the mean of ln p - ln q over p: never negative, 0 only where q is p.",
    ),
    word("knot", 21, "A point through which a spline goes, where two of its pieces meet."),
    word("layer", 6, "A bijection with parameters; a flow is several, one after another."),
    word(
        "Lipschitz constant",
        23,
        "A number L such that no two points move apart by more than L times: |g(z) - g(z′)| ≤ L·|z - z′|.",
    ),
    word("log-determinant", 3, "ln|det J|: the logarithm of how much f stretches volume at a point."),
    word("MAF", 12, "Masked autoregressive flow: the network reads x, so that a density is one pass."),
    word(
        "mask",
        12,
        "A constant matrix of 0 and 1 that cuts connections; what it cuts is cut for all weights.",
    ),
    word("maximum likelihood", 8, "Choosing the parameters under which the data are as probable as can be."),
    word("nat", 8, "The unit of natural logarithms; ln p is counted in nats."),
    word("NICE", 11, "Additive coupling layers; their log-determinant is 0."),
    word("NLL", 13, "The negative log-likelihood: the mean of -ln q over data. Training lowers it."),
    word("node", 2, "An operation on a tape, with its operands and its shape."),
    word("not proven", 7, "Neither proven nor refuted: the evidence says why, and what was tried."),
    word("order", 7, "A permutation of the variables under which a Jacobian is triangular."),
    word(
        "pathwise gradient",
        19,
        "The gradient of a mean over draws, through z = f(ε; x) with the draw of ε held fixed.",
    ),
    word("PLU", 22, "A matrix as a product of a permutation, a lower and an upper triangle."),
    word("posterior", 17, "The density of causes, given what was measured: p(θ | x)."),
    word("prior", 17, "The density of causes before anything was measured: p(θ)."),
    word(
        "probability flow",
        20,
        "The field without noise whose points have the density of a diffusion at every time.",
    ),
    word("program", 2, "A tape cut down to what some outputs need."),
    word(
        "proven",
        7,
        "True for all inputs and all parameters: by structure, by bounds or by symbolic equality.",
    ),
    word("RealNVP", 8, "Affine coupling layers; the log-determinant is the sum of the log-scales."),
    word("reflection", 22, "1 - 2·v·vᵀ/vᵀv, a mirror at right angles to v (Householder): |det| is 1."),
    word("refuted", 7, "False, with a witness: a point, a path, two points that collide."),
    word("residual flow", 23, "x = z + g(z) with a contraction g."),
    word(
        "score function",
        19,
        "The gradient of ln q by its parameters. Times a function of z, its mean over q is the gradient of that function's mean.",
    ),
    word("slice", 7, "The part of a program that one diagonal entry of the Jacobian depends on."),
    word(
        "snapshot test",
        24,
        "A test that compares a text with the one that was kept when somebody last read it.",
    ),
    word(
        "spline",
        21,
        "A curve of pieces that meet smoothly at knots; here quotients of quadratics, increasing.",
    ),
    word("structure", 7, "Where a Jacobian is zero, declared by a layer and proven on recording."),
    word(
        "sweep",
        2,
        "One interpretation of a program: as numbers, as derivatives, as intervals, as formulas.",
    ),
    word("tangent", 2, "How much a node moves when an input moves by 1; filled from the inputs forwards."),
    word("tape", 2, "The list of operations that a formula is recorded as."),
    word(
        "triangular",
        7,
        "Zero above (or below) the diagonal: the determinant is the product of the diagonal, O(d).",
    ),
    word(
        "typical set",
        16,
        "Where rows of many variables are drawn: ln p near its mean -H, not at its highest.",
    ),
    word(
        "VAE",
        18,
        "Variational autoencoder: ln p(x) is an integral over z that is not known, and a bound of it is trained.",
    ),
];
