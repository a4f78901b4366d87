//! Claims for all inputs and parameters: tries arguments until the checker accepts one.
//!
//! This module does not decide what is proven. It writes certificates from the recorded program and from
//! results of the sweeps (a simplified diagonal, a derived inverse), and the [checker](crate::checker)
//! decides which of them hold. A mistake in a sweep can lose a proof, but cannot give a false one.

use std::cell::RefCell;

use super::certificate::{Certificate, Decided};
use super::generic::generic;
use super::polar::Polar;
use super::stage::Stage;
use super::subject::{Layer, Subject};
use crate::bijection::{Bijection, Domain, Motion, Path, derived_inverse, record_forward, record_inverse};
use crate::jacobian::{
    Bottleneck, Structure, bottleneck, low_rank_factors, map, prove, stages, triangular_diagonal,
};
use crate::sweep::lipschitz::{residual, steps};
use crate::sweep::reach::Relation;
use crate::sweep::simplify::simplify;
use crate::tape::{Equation, NodeId, Op, Shape, Tape, Var, concat};

/// An argument that the checker accepted.
pub(super) struct Proof {
    pub reason: String,
    pub certificate: Certificate,
}

/// A layer whose inverse is applied, proven to be a bijection.
pub(super) struct Turned {
    pub name: String,
    pub domain: String,
    pub codomain: String,
    pub proof: Proof,
}

/// A single layer on a tape.
pub(super) struct LayerProver<'a> {
    /// What is applied: the layer or its inverse.
    pub bijection: &'a dyn Bijection,
    /// The layer, if its inverse is applied.
    original: Option<&'a dyn Bijection>,
    motion: Option<&'a dyn Motion>,
    path: &'a Path,
    pub tape: &'a Tape,
    pub z: NodeId,
    pub x: NodeId,
    /// Why arguments were not accepted.
    pub refused: RefCell<Vec<String>>,
    /// What the checker said in this audit.
    decided: &'a Decided,
}

impl<'a> LayerProver<'a> {
    pub fn of(subject: &'a Subject, layer: &'a Layer<'a>) -> LayerProver<'a> {
        LayerProver {
            bijection: layer.leaf.bijection(),
            original: layer.leaf.is_inverse().then(|| layer.leaf.layer()),
            motion: layer.leaf.motion(),
            path: layer.leaf.path(),
            tape: &subject.tape,
            z: layer.z,
            x: layer.x,
            refused: RefCell::default(),
            decided: &subject.decided,
        }
    }

    /// Returns the proof if the checker accepts the certificate.
    fn accepted(&self, certificate: Certificate, reason: impl Into<String>) -> Option<Proof> {
        match self.decided.rejection(&certificate) {
            None => Some(Proof { reason: reason.into(), certificate }),
            Some(told) => {
                let mut refused = self.refused.borrow_mut();
                // Messages that no order exists or that f is not linear say nothing about the other
                // arguments.
                let empty = [
                    "there is no line",
                    "the determinant is 0 or has",
                    "the determinant has another",
                    "the result is not an affine",
                    "an affine map is onto only",
                    "the result is not z and something else",
                    "a contraction is solved in",
                ];
                let beside = certificate.claim().contains("linear");
                if !beside && !empty.iter().any(|start| told.starts_with(start)) && !refused.contains(&told) {
                    refused.push(told);
                }
                None
            }
        }
    }

    /// Returns whether f is what a solver's steps make of a differential equation.
    fn is_solver(&self) -> bool {
        self.motion.is_some() && self.original.is_none()
    }

    fn d(&self) -> usize {
        self.bijection.dim()
    }

    /// Begins a certificate of a claim about f, with the order of its structure if it has one.
    pub fn certificate(&self, claim: &str) -> Certificate {
        let (domain, codomain) = (self.bijection.domain(), self.bijection.codomain());
        let certificate = Certificate::new(claim).sets(&domain, &codomain, self.d());
        self.labelled(certificate).program("forward", self.tape, self.z, self.x)
    }

    fn labelled(&self, certificate: Certificate) -> Certificate {
        let program = map(self.tape, self.z, self.x);
        match prove(self.tape, &program, &self.bijection.structure()) {
            Ok(Some(proof)) => {
                let (inputs, outputs) = proof.labels();
                let numbers =
                    |labels: &[u32]| labels.iter().map(|label| f64::from(*label)).collect::<Vec<f64>>();
                certificate.point("inputs", &numbers(inputs)).point("outputs", &numbers(outputs))
            }
            _ => certificate,
        }
    }

    /// Adds the simplified diagonal to f, if the structure is triangular.
    fn with_slopes(&self, certificate: Certificate) -> Certificate {
        let program = map(self.tape, self.z, self.x);
        let structure = self.bijection.structure();
        if matches!(structure, Structure::BlockTriangular { .. }) {
            return certificate;
        }
        let Ok(Some(proof)) = prove(self.tape, &program, &structure) else { return certificate };
        let first = self.tape.len();
        let diagonal = triangular_diagonal(self.tape, &program, &proof);
        let within = [(self.z, self.bijection.domain().into())];
        let simple = simplify(self.tape, diagonal.entries.id(), first, &within).value;
        certificate.program("slopes", self.tape, self.z, simple.id())
    }

    /// Records z = g(x) on the tape, derived or as written by hand.
    fn inverse<'t>(&self, tape: &'t Tape, by_hand: bool) -> Option<(NodeId, NodeId)> {
        let x: Var<'t> = tape.input(Shape::Vector(self.d()));
        let record = || match by_hand {
            true => record_inverse(self.bijection, x).ok(),
            false => derived_inverse(self.bijection, x).ok(),
        };
        self.path.scope(tape, record).map(|z| (x.id(), z.id()))
    }

    /// Returns certificates with the derived inverse and with the one written by hand.
    fn with_inverse(&self, claim: &str) -> impl Iterator<Item = Certificate> {
        let mut known = None;
        [false, true].into_iter().filter_map(move |by_hand| {
            let tape = Tape::new();
            let (x, z) = self.inverse(&tape, by_hand)?;
            let certificate = self.certificate(claim).program("inverse", &tape, x, z);
            let new = known.as_ref() != Some(&certificate);
            known = Some(certificate.clone());
            new.then_some(certificate)
        })
    }

    /// For an `Inverse`: runs `ask` on the original bijection, on a separate tape.
    fn other<T>(&self, ask: impl FnOnce(&dyn Bijection, &LayerProver<'_>) -> Option<T>) -> Option<T> {
        let other = self.original?;
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(other.dim()));
        let record = || record_forward(other, z);
        let x = self.path.scope(&tape, record).ok()?;
        let single = LayerProver {
            bijection: other,
            original: None,
            motion: self.motion,
            path: self.path,
            tape: &tape,
            z: z.id(),
            x: x.id(),
            refused: RefCell::default(),
            decided: self.decided,
        };
        let found = ask(other, &single);
        self.refused.borrow_mut().extend(single.refused.into_inner());
        found
    }

    /// Returns whether the checker need not be asked, because it could not succeed: the map is dense and large,
    /// or an unrolled solver.
    pub fn is_large(&self) -> bool {
        const LARGEST: usize = 128;
        if self.is_solver() {
            self.refuse("the steps of a solver are not passed to it".to_string());
            return true;
        }
        let dense = matches!(self.bijection.structure(), Structure::Dense | Structure::LowRank { .. });
        let large = dense && self.d() > LARGEST && self.original.is_none();
        if large {
            let reason = format!("dense maps of more than {LARGEST} variables are not passed to the checker");
            self.refuse(reason);
        }
        large
    }

    /// Notes once why there is no certificate.
    fn refuse(&self, reason: String) {
        let mut refused = self.refused.borrow_mut();
        if !refused.contains(&reason) {
            refused.push(reason);
        }
    }

    /// Proves that f maps its domain one-to-one onto its codomain.
    pub fn bijection(&self) -> Option<Proof> {
        if self.original.is_some() {
            return self.other(|other, single| {
                let proof = single.bijection()?;
                let certificate = self.certificate("bijection turned").layer(&proof.certificate);
                let reason =
                    format!("it is the inverse of {}, which is a bijection: {}", other.name(), proof.reason);
                self.accepted(certificate, reason)
            });
        }
        let by_inverse = "z follows from x by operations that each have one result, defined for every x; f⁻¹(f(z)) = z \
                          and f(f⁻¹(x)) = x, by their normal forms";
        let by_limits = "J is triangular and its diagonal has one sign everywhere: each xᵢ is strictly \
                         monotone in zᵢ, and tends to the ends of its set";
        let linear = "f is linear, and its determinant is not 0 in exact arithmetic";
        if self.is_large() || self.bijection.domain().couples() {
            return None;
        }
        // A certificate has a set for each variable: onto all of these is more than onto a set in which they restrict one
        // another, which has a claim of its own.
        if self.bijection.codomain().couples() {
            let set = match self.bijection.codomain() {
                Domain::Ordered => "ordered",
                Domain::Simplex => "simplex",
                _ => return None,
            };
            let claim = format!("one-to-one onto {set}");
            let mut certificates = self.with_inverse(&claim);
            return certificates.find_map(|certificate| self.accepted(certificate, by_inverse));
        }
        self.with_inverse("bijection inverse")
            .find_map(|certificate| self.accepted(certificate, by_inverse))
            .or_else(|| self.accepted(self.with_slopes(self.certificate("bijection monotone")), by_limits))
            .or_else(|| {
                let try_sign =
                    |sign: &str| self.accepted(self.certificate(&format!("bijection linear {sign}")), linear);
                try_sign("positive").or_else(|| try_sign("negative"))
            })
            .or_else(|| self.by_matrices("bijection"))
            .or_else(|| self.by_contraction("bijection"))
            .or_else(|| self.accepted(self.certificate("bijection pieces"), BY_PIECES_ONTO))
            .or_else(|| {
                let reason = "with one element of the program held fixed, each xᵢ is strictly monotone in its own \
                              variable; that element solves an equation which increases where it is solved, and is \
                              bounded";
                self.accepted(self.with_factors("bijection low-rank")?, reason)
            })
            .or_else(|| {
                let reason = "f is ±z + g(z) with a g that is bounded, it is continuously differentiable, and det J is not 0 anywhere (Hadamard)";
                self.accepted(self.with_factors("bijection proper")?, reason)
            })
            .or_else(|| self.by_stages("bijection stages", |stage| stage.bijection()))
    }

    /// For an `Inverse` of which that cannot be proven: proves it of the layer that it is the inverse of.
    pub fn turned(&self) -> Option<Turned> {
        if self.original.is_none() || self.bijection().is_some() {
            return None;
        }
        self.other(|other, single| {
            let proof = single.bijection()?;
            let written = |set: Domain| set.written(other.dim());
            let (domain, codomain) = (written(other.domain()), written(other.codomain()));
            Some(Turned { name: other.name(), domain, codomain, proof })
        })
    }

    /// Proves that f is W z + b with matrices that are nonsingular for all parameters.
    fn by_matrices(&self, claim: &str) -> Option<Proof> {
        let reason = "f is W·z + b, and W is made of matrices that are nonsingular for all parameters";
        ["positive", "negative"]
            .into_iter()
            .find_map(|sign| self.accepted(self.certificate(&format!("{claim} matrices {sign}")), reason))
    }

    /// Proves that f is z + g(z) with a g that brings points nearer to one another.
    fn by_contraction(&self, claim: &str) -> Option<Proof> {
        let certificate = || self.certificate(&format!("{claim} contraction positive"));
        let bounded = residual(self.tape, self.z, self.x).and_then(|found| {
            let constant = found.constant;
            let reason = format!(
                "f is z + g(z), and g has a Lipschitz constant of at most {constant:.6} in ‖·‖₂ for all parameters (Banach). \
                 The error of z ← x - g(z) is below 10⁻¹² of its first step after {} steps",
                steps(constant, 1e-12)
            );
            self.accepted(certificate().point("constant", &[constant]), reason)
        });
        bounded.or_else(|| {
            let reason = "f is z + g(z), and for each value of the parameters g has a Lipschitz constant below 1 (Banach)";
            self.accepted(certificate(), reason)
        })
    }

    /// Proves that the solutions of a continuous layer's equation, which its steps approximate, are a bijection of ℝᵈ;
    /// otherwise returns the checker's message.
    pub fn exact_flow(&self, motion: &dyn Motion) -> Result<Proof, String> {
        let (d, (from, to)) = (self.d(), motion.span());
        let tape = Tape::new();
        let both = tape.input(Shape::Vector(d + 1));
        let (z, t) = (both.slice(0..d), both.at(d));
        let v = self.path.scope(&tape, || tape.pass(|| motion.velocity(z, t)));
        if tape.check().is_err() || v.shape() != Shape::Vector(d) {
            return Err("v(z, t) could not be recorded".to_string());
        }
        let certificate = Certificate::new("flow").sets(&Domain::Reals, &Domain::Reals, d);
        let certificate =
            certificate.point("times", &[from, to]).program("velocity", &tape, both.id(), v.id());
        let reason = format!(
            "for each value of the parameters v has a Lipschitz constant in z, the same for all t between {from} and {to} \
             (Picard and Lindelöf)"
        );
        self.accepted(certificate, reason).ok_or_else(|| self.refused.take().join("; "))
    }

    /// Proves that no two points have the same image.
    pub fn one_to_one(&self) -> Option<Proof> {
        if self.original.is_some() || self.is_large() {
            return None;
        }
        let monotone =
            "J is triangular and its diagonal has one sign everywhere: each xᵢ is strictly monotone in zᵢ";
        self.accepted(self.with_slopes(self.certificate("one-to-one")), monotone)
            .or_else(|| self.accepted(self.certificate("one-to-one pieces"), BY_PIECES))
            .or_else(|| {
                let reason = "pairs of outputs are R·cos φ and R·sin φ: R = √(x² + y²) gives one variable, and φ, which \
                              moves by less than 2π, the other";
                self.accepted(self.with_polar("one-to-one polar")?, reason)
            })
            .or_else(|| {
                let reason = "z follows from x: f⁻¹(f(z)) = z for every z, by their normal forms";
                let mut certificates = self.with_inverse("one-to-one inverse");
                certificates.find_map(|certificate| self.accepted(certificate, reason))
            })
    }

    /// Proves that det J is not 0 and has this sign.
    pub fn determinant(&self, sign: f64) -> Option<Proof> {
        let sign = if sign < 0.0 { "negative" } else { "positive" };
        if self.original.is_some() {
            return self.other(|other, single| {
                let proof = single.bijection()?;
                let layer = single.with_slopes(proof.certificate);
                let certificate = self.certificate(&format!("determinant turned {sign}")).layer(&layer);
                let reason = format!("it is the reciprocal of that of {}", other.name());
                self.accepted(certificate, reason)
            });
        }
        if self.is_large() {
            return None;
        }
        let triangular = "the diagonal of a triangular J has one sign for all inputs and parameters";
        let pieces =
            "the diagonal of a triangular J has one sign on every piece, for all inputs and parameters";
        let linear = "the determinant of a linear map, in exact arithmetic";
        self.accepted(self.with_slopes(self.certificate(&format!("determinant {sign}"))), triangular)
            .or_else(|| self.accepted(self.certificate(&format!("determinant linear {sign}")), linear))
            .or_else(|| self.accepted(self.certificate(&format!("determinant pieces {sign}")), pieces))
            .or_else(|| {
                let matrices = "the determinants of the matrices that f is made of, for all parameters";
                self.accepted(self.certificate(&format!("determinant matrices {sign}")), matrices)
            })
            .or_else(|| {
                let low_rank = "det J = det T·det(1 + V·T⁻¹·U) for a diagonal T, and both factors have one sign for all \
                                inputs and parameters";
                self.accepted(self.with_factors(&format!("determinant low-rank {sign}"))?, low_rank)
            })
            .or_else(|| {
                let polar = "pairs of outputs are R·cos φ and R·sin φ, and det J is a product of R and slopes of R and φ";
                self.accepted(self.with_polar(&format!("determinant polar {sign}"))?, polar)
            })
            .or_else(|| (sign == "positive").then(|| self.by_contraction("determinant"))?)
            .or_else(|| {
                let either = |stage: &LayerProver<'_>| stage.determinant(1.0).or_else(|| stage.determinant(-1.0));
                self.by_stages(&format!("determinant stages {sign}"), either)
            })
    }

    /// Proves a claim of a map of ℝᵈ that is one map after another, by proofs of each of these.
    fn by_stages(&self, claim: &str, prove: impl Fn(&LayerProver<'_>) -> Option<Proof>) -> Option<Proof> {
        let is_real =
            [self.bijection.domain(), self.bijection.codomain()].iter().all(|set| *set == Domain::Reals);
        if !is_real || !matches!(self.bijection.structure(), Structure::Dense | Structure::LowRank { .. }) {
            return None;
        }
        let ends = stages(self.tape, &map(self.tape, self.z, self.x));
        if ends.len() <= 2 {
            return None;
        }
        let mut certificate = self.certificate(claim);
        let mut reasons: Vec<String> = Vec::new();
        for pair in ends.windows(2) {
            let stage = Stage::of(self.tape, pair[0], pair[1])?;
            let single = LayerProver {
                bijection: &stage,
                original: None,
                motion: None,
                path: stage.path(),
                tape: self.tape,
                z: pair[0],
                x: pair[1],
                refused: RefCell::default(),
                decided: self.decided,
            };
            let proof = prove(&single)?;
            certificate = certificate.layer(&proof.certificate);
            if !reasons.contains(&proof.reason) {
                reasons.push(proof.reason);
            }
        }
        let reason = format!("f is {} maps one after another: {}", ends.len() - 1, reasons.join("; and "));
        self.accepted(certificate, reason)
    }

    /// Proves that det J has this sign but on a set of measure 0.
    pub fn determinant_almost_everywhere(&self, sign: f64) -> Option<Proof> {
        if self.original.is_some() || self.is_large() {
            return None;
        }
        let sign = if sign < 0.0 { "negative" } else { "positive" };
        let triangular =
            "the diagonal of a triangular J has one sign, but for isolated zeros in its own variable";
        let pieces = "the diagonal of a triangular J has one sign on every piece; where pieces meet it may be 0, or \
                      have no value";
        let certificate =
            self.with_slopes(self.certificate(&format!("determinant almost-everywhere {sign}")));
        self.accepted(certificate, triangular).or_else(|| {
            self.accepted(self.certificate(&format!("determinant pieces-almost-everywhere {sign}")), pieces)
        })
    }

    /// Proves that every image lies in the codomain.
    pub fn range(&self) -> Option<Proof> {
        if self.is_large() {
            return None;
        }
        self.accepted(self.certificate("range"), "bounds of f over the whole domain")
    }

    /// Whether every image is proven to lie in this set, the domain of a next layer; each variable in its own, as in all
    /// certificates.
    fn maps_into(&self, set: &Domain) -> bool {
        let d = self.d();
        if (0..d).all(|i| set.of(i) == Domain::Reals) {
            return true;
        }
        let within = |codomain: Domain| (0..d).all(|i| codomain.of(i).is_within(&set.of(i), 1));
        if within(self.bijection.codomain()) && self.bijection().is_some() {
            return true;
        }
        let certificate = Certificate::new("range").sets(&self.bijection.domain(), set, d);
        let certificate = certificate.program("forward", self.tape, self.z, self.x);
        !self.is_large() && self.accepted(certificate, "").is_some()
    }

    /// Proves f⁻¹(f(z)) = z, for every z or wherever it is defined.
    pub fn identity(&self, everywhere: bool) -> Option<Proof> {
        let reason = "brought to its normal form, f⁻¹(f(z)) is z";
        if self.original.is_some() {
            // If f = g⁻¹ for a bijection g, the inverse of f is g.
            return self.other(|_, single| {
                let proof = single.bijection()?;
                let certificate = self.certificate("bijection turned").layer(&proof.certificate);
                self.accepted(certificate, reason)
            });
        }
        if self.is_solver() {
            return None;
        }
        let tape = Tape::new();
        let (x, z) = self.inverse(&tape, true)?;
        let claim = if everywhere { "identity" } else { "identity partial" };
        let certificate = |claim: &str| self.certificate(claim).program("inverse", &tape, x, z);
        if everywhere && is_fixed_point(&tape, z) {
            let reason = "f⁻¹(x) is the fixed point of z ← x - g(z), which has one for every x (Banach)";
            return self.accepted(certificate("identity contraction"), reason);
        }
        self.accepted(certificate(claim), reason)
    }

    /// Proves that the inverse written by hand equals the derived one, for every x or wherever both are defined.
    pub fn same_inverse(&self, everywhere: bool) -> Option<Proof> {
        let tape = Tape::new();
        let (x, derived) = self.inverse(&tape, false)?;
        let other = Tape::new();
        let (y, by_hand) = self.inverse(&other, true)?;
        let claim = if everywhere { "equal" } else { "equal partial" };
        let certificate = self.certificate(claim).program("inverse", &tape, x, derived);
        self.accepted(
            certificate.program("given", &other, y, by_hand),
            "both are the same formula, in the normal form of the checker",
        )
    }

    /// Proves that J has the declared structure; otherwise returns the checker's message.
    pub fn structure(&self) -> Result<Proof, String> {
        let kind = match self.bijection.structure() {
            Structure::LowRank { rank } => return self.low_rank(rank),
            Structure::Diagonal => "diagonal",
            Structure::BlockTriangular { .. } => "blocks",
            _ => "lower",
        };
        let certificate = self.certificate(&format!("structure {kind}"));
        self.accepted(certificate, "no path leads where the structure has a zero")
            .ok_or_else(|| self.refused.take().join("; "))
    }

    /// A certificate of a claim about f, with the radius and the angle of each block of two variables.
    fn with_polar(&self, claim: &str) -> Option<Certificate> {
        let (domain, codomain) = (self.bijection.domain(), self.bijection.codomain());
        let structure = self.bijection.structure();
        let found = Polar::of(self.tape, (self.z, self.x), &structure, domain.clone())?;
        let certificate = Certificate::new(claim).sets(&domain, &codomain, self.d());
        let labelled = certificate.point("inputs", &found.inputs).point("outputs", &found.outputs);
        let forward = labelled.program("forward", self.tape, self.z, self.x);
        Some(forward.program("polar", self.tape, self.z, found.node))
    }

    /// A certificate of a claim about f, with the elements of a bottleneck.
    fn with_bottleneck(&self, claim: &str, found: &Bottleneck) -> Certificate {
        let (domain, codomain) = (self.bijection.domain(), self.bijection.codomain());
        let (inputs, outputs) = found.order().ranks();
        let numbers = |labels: &[u32]| labels.iter().map(|label| f64::from(*label)).collect::<Vec<f64>>();
        let mut certificate = Certificate::new(claim)
            .sets(&domain, &codomain, self.d())
            .point("inputs", &numbers(&inputs))
            .point("outputs", &numbers(&outputs));
        if found.rank() == 0 {
            certificate = certificate.point("elements", &[]);
        }
        certificate.program_with("forward", (self.tape, self.z, self.x), found.elements())
    }

    /// As `with_bottleneck`, with simpler formulas of the factors of det J; `None` if there is no bottleneck of few elements.
    fn with_factors(&self, claim: &str) -> Option<Certificate> {
        const MOST: usize = 4;
        let program = map(self.tape, self.z, self.x);
        let rank = match self.bijection.structure() {
            Structure::Dense => self.d().saturating_sub(1).min(MOST),
            Structure::LowRank { rank } => rank.min(MOST),
            _ => return None,
        };
        let found =
            bottleneck(self.tape, &program, Relation::Value, rank).filter(|found| found.rank() > 0)?;
        let certificate = self.with_bottleneck(claim, &found);
        let first = self.x.index() + 1;
        let (diagonal, small) = low_rank_factors(self.tape, &program, &found, Relation::Value)?;
        let within = [(self.z, self.bijection.domain().into())];
        let simple = |of: Var<'_>| self.tape.var(simplify(self.tape, of.id(), first, &within).value.id());
        let factors =
            || [Some(diagonal), small].into_iter().flatten().map(|f| generic(self.tape, &[self.z], f));
        let plain = concat(factors().map(simple));
        // e^(ln|a|), of which bounds show that it is positive.
        let by_logs = concat(factors().map(|factor| simple(factor.abs().ln()).exp()));
        let certificate = certificate.program("slopes", self.tape, self.z, plain.id());
        Some(certificate.program("powers", self.tape, self.z, by_logs.id()))
    }

    /// Proves that J is a diagonal matrix and one of this rank.
    fn low_rank(&self, rank: usize) -> Result<Proof, String> {
        let program = map(self.tape, self.z, self.x);
        let Some(found) = bottleneck(self.tape, &program, Relation::Value, rank) else {
            return Err("no such elements were found".to_string());
        };
        let certificate = self.with_bottleneck(&format!("structure low-rank {rank}"), &found);
        let held = match found.rank() {
            0 => "no path leads from a variable to an output other than its own".to_string(),
            1 => "with one element of the program held fixed, no path leads from a variable to an output other than \
                  its own"
                .to_string(),
            rank => format!(
                "with {rank} elements of the program held fixed, no path leads from a variable to an output other \
                 than its own"
            ),
        };
        self.accepted(certificate, held).ok_or_else(|| self.refused.take().join("; "))
    }

    /// Proves that det J is 0 everywhere: some outputs together depend on fewer inputs than there are of
    /// them, or all of them depend on the inputs through fewer elements.
    pub fn singular(&self, reason: &str) -> Option<Proof> {
        let program = map(self.tape, self.z, self.x);
        let proven = format!("proven singular, for all inputs and parameters: {reason}");
        let Some(chosen) = crate::jacobian::deficient(self.tape, &program) else {
            let waist = crate::jacobian::waist(self.tape, &program)?;
            let (domain, codomain) = (self.bijection.domain(), self.bijection.codomain());
            let certificate = Certificate::new("singular waist").sets(&domain, &codomain, self.d());
            let certificate = certificate.program_with("forward", (self.tape, self.z, self.x), &waist);
            return self.accepted(certificate, proven);
        };
        let chosen: Vec<f64> = chosen.into_iter().map(|output| output as f64).collect();
        let certificate = self.certificate("singular").point("chosen", &chosen);
        self.accepted(certificate, proven)
    }
}

/// Whether what is proven of each layer in its own domain holds of the composition: its domain lies in that of the first
/// layer, and each layer is proven to map into the domain of the next.
pub(super) fn layers_fit(subject: &Subject) -> bool {
    let Some(first) = subject.layers.first() else { return false };
    subject.domain.is_within(&first.leaf.bijection().domain(), subject.d)
        && subject
            .layers
            .windows(2)
            .all(|pair| LayerProver::of(subject, &pair[0]).maps_into(&pair[1].leaf.bijection().domain()))
}

/// Whether domain and codomain of the composition are those of its only layer, of which certificates are.
pub(super) fn has_sets_of(subject: &Subject, layer: &Layer<'_>) -> bool {
    let own = layer.leaf.bijection();
    subject.domain == own.domain() && subject.codomain == own.codomain()
}

/// Whether a node is the solution of a contraction.
fn is_fixed_point(tape: &Tape, z: NodeId) -> bool {
    tape.with_node(z, |node| matches!(node.op, Op::Equation(Equation::Contraction(_))))
}

const BY_PIECES: &str = "each xᵢ is strictly monotone in zᵢ: its slope has one sign on every piece, and \
                         where two pieces meet they have the same value";
const BY_PIECES_ONTO: &str = "each xᵢ is strictly monotone in zᵢ: its slope has one sign on every piece, and \
                              where two pieces meet they have the same value; it tends to the ends of its \
                              set";

/// Proves a chain of layers: each maps its domain onto the domain of the next, or at least one-to-one into
/// it. Otherwise returns the checker's messages.
pub(super) fn composition(subject: &Subject) -> Result<(Proof, bool), Vec<String>> {
    let singles: Vec<LayerProver<'_>> =
        subject.layers.iter().map(|layer| LayerProver::of(subject, layer)).collect();
    if let [single] = singles.as_slice() {
        if !layers_fit(subject) {
            return Err(vec!["the composition has another domain than its layer".to_string()]);
        }
        let same = has_sets_of(subject, &subject.layers[0]);
        let onto = single.bijection().filter(|_| same).map(|proof| (proof, true));
        let found = onto.or_else(|| single.one_to_one().map(|proof| (proof, false)));
        return found.ok_or_else(|| single.refused.take());
    }
    let mut onto = true;
    let mut certificates = Vec::new();
    for single in &singles {
        let proof = single.bijection().or_else(|| {
            onto = false;
            single.one_to_one()
        });
        certificates.push(proof.ok_or_else(|| single.refused.take())?.certificate);
    }
    let whole = |claim: &str| {
        let start = Certificate::new(claim).sets(&subject.domain, &subject.codomain, subject.d);
        certificates.iter().fold(start, |whole, layer| whole.layer(layer))
    };
    let single = &singles[0];
    if onto {
        let reason =
            format!("each of the {} layers is one, and maps onto the domain of the next", singles.len());
        if let Some(proof) = single.accepted(whole("bijection chain"), reason) {
            return Ok((proof, true));
        }
    }
    let reason =
        format!("each of the {} layers is one-to-one, and maps into the domain of the next", singles.len());
    let proof = single.accepted(whole("one-to-one chain"), reason);
    proof.map(|proof| (proof, false)).ok_or_else(|| single.refused.take())
}
