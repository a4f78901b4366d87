//! Python functions that modules call where JAX has none, or has one with fewer digits.

/// The helpers that a text calls, and those that these call.
pub(super) fn used_by(text: &str) -> String {
    let mut wanted: Vec<&str> = Vec::new();
    let mut searched = vec![text];
    while let Some(text) = searched.pop() {
        for (name, source) in HELPERS {
            if text.contains(name) && !wanted.contains(name) {
                wanted.push(name);
                searched.push(source);
            }
        }
    }
    let used = HELPERS.iter().filter(|(name, _)| wanted.contains(name));
    used.map(|(_, source)| format!("\n\n{}", source.trim_start_matches('\n'))).collect()
}

const HELPERS: &[(&str, &str)] = &[
    (
        "_taken(",
        r#"
def _taken(condition, value):
    """The value, with derivatives only where the condition holds: there a branch is taken."""
    return jnp.where(condition, value, lax.stop_gradient(value))
"#,
    ),
    (
        "_parts(",
        r#"
def _parts(a, cuts):
    """The parts of a vector. The barrier has XLA compute their derivatives before it puts them together."""
    return lax.optimization_barrier(tuple(jnp.split(a, cuts)))
"#,
    ),
    (
        "_ln(",
        r#"
def _ln(a):
    """ln a, NaN also at 0."""
    return jnp.where(a > 0.0, jnp.log(jnp.where(a > 0.0, a, 1.0)), jnp.nan)
"#,
    ),
    (
        "_on_circle(",
        r#"
def _on_circle(turns):
    """Cosine and sine of an angle that is a number of turns."""
    angle = 2.0 * jnp.pi * (turns % 1.0)
    return jnp.concatenate([jnp.cos(angle), jnp.sin(angle)])
"#,
    ),
    (
        "_one_hot(",
        r#"
def _one_hot(level, count):
    """1 at the place of a level, from 0, and 0 at the others; NaN for what is no place."""
    own = level == jnp.arange(count)
    return jnp.where(jnp.any(own), jnp.where(own, 1.0, 0.0), jnp.nan)
"#,
    ),
    (
        "_sech_squared",
        r#"
def _sech_squared(a):
    """1 / cosh(a)**2, with all digits where tanh(a) is near 1."""
    e = jnp.exp(-2.0 * jnp.abs(a))
    return 4.0 * e / (1.0 + e) ** 2
"#,
    ),
    (
        "_asinh(",
        r#"
def _asinh(a):
    """The inverse hyperbolic sine, without cancellation on the left, and without overflow."""
    size = jnp.abs(a)
    large = size > 1e8
    near = jnp.where(large, 1.0, size)
    log = jnp.log1p(near + near**2 / (1.0 + jnp.sqrt(1.0 + near**2)))
    return jnp.sign(a) * jnp.where(large, jnp.log(jnp.where(large, size, 1.0)) + jnp.log(2.0), log)
"#,
    ),
    (
        "_asinh_slope",
        r#"
def _asinh_slope(a):
    """1 / sqrt(1 + a**2), without overflow."""
    size = jnp.abs(a)
    large = size > 1e8
    near = jnp.where(large, 1.0, size)
    return jnp.where(large, 1.0 / jnp.where(large, size, 1.0), 1.0 / jnp.sqrt(1.0 + near**2))
"#,
    ),
    (
        "_tan_pi",
        r#"
def _tan_pi(a):
    """tan(pi a) for |a| < 1/2, with all digits near the ends."""
    size = jnp.abs(a)
    near_end = size > 0.25
    t = jnp.tan(jnp.pi * jnp.where(near_end, 0.5 - size, size))
    return jnp.sign(a) * jnp.where(near_end, 1.0 / jnp.where(near_end, t, 1.0), t)
"#,
    ),
    (
        "_inverse_mills",
        r#"
def _inverse_mills(a):
    """The density of the standard normal over its distribution function."""
    return jnp.exp(-0.5 * a**2 - 0.5 * jnp.log(2.0 * jnp.pi) - jax.scipy.special.log_ndtr(a))
"#,
    ),
    (
        "_derivative",
        r#"
def _derivative(function, order):
    """The derivative of this order of a function of each element."""
    for _ in range(order):
        function = (lambda inner: lambda a: jax.jvp(inner, (a,), (jnp.ones_like(a),))[1])(function)
    return function
"#,
    ),
    (
        "_solve_linear",
        r#"
def _solve_linear(linear, y):
    """The solution of linear(z) = y."""
    flat = lambda z: linear(z.reshape(y.shape)).reshape(-1)
    start = jnp.zeros(y.size, y.dtype)
    return jnp.linalg.solve(jax.jacobian(flat)(start), y.reshape(-1)).reshape(y.shape)
"#,
    ),
    (
        "_increasing_root",
        r#"
def _increasing_root(h, shape, low, high):
    """The z between low and high with h(z) = 0; each element of h increases with its own element of z.

    Newton's method between brackets; the derivative of z is that of the implicit function.
    """

    def solve(h, start):
        slope = lambda z: jax.jvp(h, (z,), (jnp.ones_like(z),))
        dtype = start.dtype
        # Brackets: ends that are infinite are moved outwards until the root lies between them.
        a = jnp.full(shape, low if low > -jnp.inf else -1.0, dtype)
        b = jnp.full(shape, high if high < jnp.inf else 1.0, dtype)
        out_a = lambda a: (h(a) > 0.0) & (low == -jnp.inf) & (a > -1e300)
        out_b = lambda b: (h(b) < 0.0) & (high == jnp.inf) & (b < 1e300)
        a = lax.while_loop(lambda a: jnp.any(out_a(a)), lambda a: jnp.where(out_a(a), 4.0 * a, a), a)
        b = lax.while_loop(lambda b: jnp.any(out_b(b)), lambda b: jnp.where(out_b(b), 4.0 * b, b), b)

        def step(state):
            a, b, z, _, count = state
            value, rate = slope(z)
            a, b = jnp.where(value < 0.0, z, a), jnp.where(value > 0.0, z, b)
            newton = z - value / rate
            inside = (newton > a) & (newton < b)
            following = jnp.where(value == 0.0, z, jnp.where(inside, newton, 0.5 * (a + b)))
            moves = jnp.any((following != z) & (jnp.abs(following - z) > jnp.finfo(dtype).eps * jnp.abs(z)))
            return a, b, following, moves, count + 1

        state = (a, b, 0.5 * (a + b), True, 0)
        return lax.while_loop(lambda state: state[3] & (state[4] < 2000), step, state)[2]

    return lax.custom_root(h, jnp.zeros(shape), solve, lambda linear, y: y / linear(jnp.ones_like(y)))
"#,
    ),
    (
        "_in_order",
        r#"
def _in_order(g, shape, count):
    """The solution of z = g(z), where each element of g depends on elements of z that come before it."""
    solve = lambda h, start: lax.fori_loop(0, count, lambda _, z: g(z), start)
    return lax.custom_root(lambda z: z - g(z), jnp.zeros(shape), solve, _solve_linear)
"#,
    ),
    (
        "_fixed_point",
        r#"
def _fixed_point(g, shape, lipschitz):
    """The solution of z = g(z) for a contraction, |g(z) - g(w)| <= lipschitz |z - w| (Banach)."""

    def solve(h, start):
        def step(state):
            z, _, count = state
            image = g(z)
            small = jnp.finfo(z.dtype).eps * jnp.maximum(jnp.linalg.norm(image), 1e-30) * (1.0 - lipschitz)
            return image, jnp.linalg.norm(image - z) > small, count + 1

        return lax.while_loop(lambda s: s[1] & (s[2] < 100000), step, (start, True, 0))[0]

    return lax.custom_root(lambda z: z - g(z), jnp.zeros(shape), solve, _solve_linear)
"#,
    ),
    (
        "_system",
        r#"
def _system(h, shape):
    """The c with h(c) = 0, by Newton's method from 0, each step of which is halved until |h| falls; NaN where none is found."""

    def solve(h, start):
        jacobian = jax.jacobian(h)

        def shorter(state):
            c, step, part = state
            return c, step, 0.5 * part

        def too_long(state):
            c, step, part = state
            falls = jnp.linalg.norm(h(c + part * step)) <= (1.0 - 1e-4 * part) * jnp.linalg.norm(h(c))
            return ~falls & (part > 1e-9)

        def once(state):
            c, _, count = state
            step = -jnp.linalg.solve(jacobian(c), h(c))
            _, _, part = lax.while_loop(too_long, shorter, (c, step, 1.0))
            falls = part > 1e-9
            return jnp.where(falls, c + part * step, c), falls, count + 1

        c, _, _ = lax.while_loop(lambda s: s[1] & (s[2] < 400), once, (start, True, 0))
        most = 1e3 * jnp.finfo(c.dtype).eps * jnp.maximum(jnp.linalg.norm(c), 1.0)
        return jnp.where(jnp.linalg.norm(h(c)) <= most, c, jnp.nan)

    return lax.custom_root(h, jnp.zeros(shape), solve, _solve_linear)
"#,
    ),
    (
        "_runge_kutta",
        r#"
def _runge_kutta(velocity, z, start, end, steps):
    """The solution of dz/dt = velocity(z, t) by the classical Runge-Kutta method."""
    step = (end - start) / steps

    def once(z, k):
        t = start + step * k
        a = velocity(z, t)
        b = velocity(z + 0.5 * step * a, t + 0.5 * step)
        c = velocity(z + 0.5 * step * b, t + 0.5 * step)
        d = velocity(z + step * c, t + step)
        return z + step / 6.0 * (a + 2.0 * b + 2.0 * c + d), None

    return lax.scan(once, z, jnp.arange(steps))[0]
"#,
    ),
    (
        "_euler",
        r#"
def _euler(velocity, z, start, end, steps):
    """The solution of dz/dt = velocity(z, t) by Euler's method."""
    step = (end - start) / steps
    return lax.scan(lambda z, k: (z + step * velocity(z, start + step * k), None), z, jnp.arange(steps))[0]
"#,
    ),
];
