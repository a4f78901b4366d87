//! Lesson 2: how derivatives come out of a tape.

use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::{Names, adjoint, render, tangent};
use pushforward::tape::{NodeId, Op, Subgraph};
use pushforward_course::{Lesson, Page, Picture, equation, fit_slope, values};

#[path = "judges/02_the_tape.rs"]
pub mod judge;

/// y = z₁·z₂ + sin z₁
fn example<'t>(z: Var<'t>) -> Var<'t> {
    let (z1, z2) = (z.at(0), z.at(1));
    z1 * z2 + z1.sin()
}

/// y = sin(… sin(sin(z₁)·z₂)·z₃ …)·z_d: many inputs, one output, and each input goes through all that follow.
fn many<'t>(z: Var<'t>) -> Var<'t> {
    (1..z.len()).fold(z.at(0), |y, k| y.sin() * z.at(k))
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 2,
    slug: "02_the_tape",
    title: "The tape",
    about: "how derivatives come out of a tape",
    exercise: &judge::EXERCISE,
    seconds: 1.0,
    trained: &[],
    needs: &[1],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn std::error::Error>> {
    page.question(
        "The density needs df/dz. How does a program find the derivative of a function that you only wrote down?",
    );
    page.predict(
        "y = z₁·z₂ + sin z₁ at z = (2, 5). Find ∂y/∂z₁ and ∂y/∂z₂ on paper. You will use two rules; the tape uses \
         the same two.",
    );

    page.heading("By hand");
    page.prose(
        "The derivative of a product by one factor is the other factor: that of z₁·z₂ by z₁ is z₂ = 5, and \
         by z₂ it is z₁ = 2. The derivative of the sine is the cosine: that of sin z₁ is cos 2 = -0.4161. \
         The derivative of a sum by each of its terms is 1, and contributions along different paths are \
         added: ∂y/∂z₁ = 5 + cos 2 = 4.5839, and ∂y/∂z₂ = 2.",
    );

    page.heading("A tape is a list of nodes");
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let y = example(z);
    let names = Names::new().with(z.id(), "z");
    page.formula(equation("y", y, &[(z, "z")]));
    let point = [2.0, 5.0];
    let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
    let nodes: Vec<NodeId> =
        subgraph.nodes().iter().copied().filter(|id| tape.shape(*id) == Shape::Scalar).collect();

    // Forwards, along z₁ and along z₂: the tangent of every node. Backwards: the adjoint of every node.
    let every = Subgraph::new(&tape, &[z.id()], &nodes);
    let along = |j: usize| {
        let seed: Vec<f64> = (0..2).map(|k| if k == j { 1.0 } else { 0.0 }).collect();
        tangent(&tape, &every, &[(z.id(), tape.vector(&seed))])
    };
    let (first, second) = (along(0), along(1));
    let back = adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &nodes);
    let number = |node: Option<Var<'_>>| match node {
        Some(node) => values(&tape, z, &[node], &point)[0][0],
        None => 0.0,
    };
    let rows = nodes.iter().enumerate().map(|(k, id)| {
        let node = tape.node(*id);
        let operation = match node.op {
            Op::Gather(_) => "input".to_string(),
            op => op.name().to_string(),
        };
        vec![
            render(&tape, *id, &names),
            operation,
            format!("{:.4}", number(Some(tape.var(*id)))),
            format!("{:.4}", number(first[k])),
            format!("{:.4}", number(second[k])),
            format!("{:.4}", number(back[k])),
        ]
    });
    page.table(&["node", "operation", "value", "∂node/∂z₁", "∂node/∂z₂", "∂y/∂node"], rows.collect());
    page.prose(
        "The value column, read from top to bottom, is the evaluation. Each operation has a derivative of \
         its own: that of a product is the other factor, that of a sine the cosine. The next two columns are \
         computed downwards too: how much does a node move when z₁ (or z₂) moves by 1? That is the forward \
         mode, one column for each input.",
    );
    page.prose(
        "The last column is computed upwards: how much does y move when this node moves by 1? That is the \
         reverse mode. One column holds the derivatives by all inputs at once.",
    );
    let gradient = [2.0f64.cos() + 5.0, 2.0];
    let inputs: Vec<usize> =
        (0..nodes.len()).filter(|k| matches!(tape.node(nodes[*k]).op, Op::Gather(_))).collect();
    for (j, (k, expected)) in inputs.iter().zip(gradient).enumerate() {
        page.check_close(
            format!("∂y/∂z{} backwards is what you found by hand", ['₁', '₂'][j]),
            number(back[*k]),
            expected,
            1e-15,
        );
    }
    let last = nodes.iter().position(|id| *id == y.id()).ok_or("y is a node")?;
    page.check_close("∂y/∂z₁ forwards is the same number", number(first[last]), gradient[0], 1e-15);
    page.check_close("∂y/∂z₂ forwards is the same number", number(second[last]), gradient[1], 1e-15);

    page.heading("The picture");
    let at = |k: usize| number(Some(tape.var(nodes[k])));
    let slope_of = |of: usize, by: usize| {
        // Along one edge: the node as a function of one of its operands alone.
        let (of, by) = (nodes[of], nodes[by]);
        let edge = Subgraph::new(&tape, &[by], &[of]);
        number(tangent(&tape, &edge, &[(by, tape.constant(1.0))])[0])
    };
    let place = |name: &str| match name {
        "z₁" => (0.0, 0.0),
        "z₂" => (0.0, 1.0),
        "z₁·z₂" => (1.0, 1.0),
        "sin(z₁)" => (1.0, 0.0),
        _ => (2.0, 0.5),
    };
    let short = |number: f64| format!("{number:.4}").trim_end_matches('0').trim_end_matches('.').to_string();
    let (mut drawn, mut edges) = (Vec::new(), Vec::new());
    for (k, id) in nodes.iter().enumerate() {
        let name = render(&tape, *id, &names);
        let label = if *id == y.id() { "y" } else { &name };
        drawn.push((place(&name), format!("{label}\n{}", short(at(k)))));
        for operand in &tape.node(*id).operands {
            if let Some(from) = nodes.iter().position(|node| node == operand) {
                edges.push((from, k, short(slope_of(k, from))));
            }
        }
    }
    page.picture(
        "tape",
        Picture::new(
            "The tape: a value in each node, a derivative on each edge",
            "z₁ and z₂ lead to their product, z₁ to its sine, and both of these to the sum y.",
        )
        .graph(drawn, edges),
    );
    page.prose(
        "A derivative is a sum over all paths from an input to y; each path contributes the product of the \
         derivatives on its edges. Two paths lead from z₁, one from z₂. Forward and reverse mode differ only \
         in the order of multiplication.",
    );

    page.heading("Derivatives are nodes again");
    page.prose(
        "Nothing was computed with numbers until the end: what came out is a formula on the same tape.",
    );
    let whole =
        adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0].ok_or("y depends on z")?;
    let slope = whole.at(0);
    page.formula(equation("∂y/∂z", whole, &[(z, "z")]));
    let again = Subgraph::new(&tape, &[z.id()], &[slope.id()]);
    let second_order = tangent(&tape, &again, &[(z.id(), tape.vector(&[1.0, 0.0]))])[0].ok_or("it curves")?;
    page.check_close(
        "so it can be derived again: ∂²y/∂z₁² = -sin z₁",
        number(Some(second_order)),
        -(2.0f64.sin()),
        1e-15,
    );

    page.heading("Which mode pays");
    page.predict("A function of 256 inputs and one output: how many forward sweeps give its gradient? How many backward?");
    let mut table = Vec::new();
    let mut ratios = Vec::new();
    for d in [4usize, 16, 64, 256] {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(d));
        let y = many(z);
        let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
        let columns: Vec<Output> = (0..d)
            .filter_map(|j| {
                let seed: Vec<f64> = (0..d).map(|k| if k == j { 1.0 } else { 0.0 }).collect();
                tangent(&tape, &subgraph, &[(z.id(), tape.vector(&seed))])[0]
            })
            .map(|column| Output::Each(column.id()))
            .collect();
        let gradient =
            adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0].ok_or("it depends")?;
        let count = |outputs: &[Output]| Program::<f64>::compile(&tape, &[z.id()], outputs).operations();
        let value = count(&[Output::Each(y.id())]);
        let (forward, reverse) = (count(&columns), count(&[Output::Each(gradient.id())]));
        ratios.push(reverse as f64 / value as f64);
        table.push(vec![d.to_string(), value.to_string(), forward.to_string(), reverse.to_string()]);
    }
    page.table(&["inputs", "operations of y", "gradient forwards", "gradient backwards"], table);
    let largest = ratios.iter().copied().fold(0.0, f64::max);
    page.check_that(
        format!("backwards costs at most 4 times the function, whatever d is (here {largest:.1} times)"),
        largest <= 4.0,
        format!("{ratios:?}"),
    );
    page.prose(
        "So 256 inputs take 256 sweeps forwards, one for each, and a single one backwards. With 256 outputs \
         and one input it would be the opposite.",
    );
    page.prose(
        "Training asks for the gradient of one loss by all weights: backwards. A Jacobian's diagonal asks for each \
         output by its own input: forwards, and lesson 7 shows that one sweep is enough.",
    );

    page.heading("In general");
    page.formula("∂y/∂v = Σ (∂y/∂w)·(∂w/∂v)     over the nodes w that use v");
    page.prose(
        "That is the chain rule, one node at a time, from y backwards. The forward mode is the same sum over \
         the operands of a node. Each needs only the derivative of one operation, and an operation has only \
         a few operands.",
    );

    page.heading("What people get wrong");
    page.misconception(
        "\"Automatic differentiation is finite differences.\" A difference quotient must choose a step, and \
         every choice is wrong: too large, and the curvature of f makes an error; too small, and the digits \
         cancel.",
    );
    let exact = gradient[0];
    let errors: Vec<(f64, f64)> = (1..=30)
        .map(|k| {
            let h = 10f64.powf(-0.5 * f64::from(k));
            let at = |z1: f64| values(&tape, z, &[y], &[z1, 5.0])[0][0];
            (h, ((at(2.0 + h) - at(2.0)) / h - exact).abs().max(1e-17))
        })
        .collect();
    let tape_error = (number(first[last]) - exact).abs().max(1e-17);
    let best = errors.iter().map(|(_, error)| *error).fold(f64::INFINITY, f64::min);
    let (order, _) = fit_slope(&errors[..10]);
    page.measured("error of the tape's derivative, at most", tape_error.max(1e-16), "");
    page.measured("the best error of any step", best, "");
    page.check_that("no step comes near the tape", best > 1e3 * tape_error, format!("{best:e}"));
    page.check_close("for large steps the error is of order h", order, 1.0, 0.1);
    page.measured_picture(
        "step_sizes",
        Picture::new(
            "The error of (f(z + h) - f(z))/h",
            "The error falls with h down to about 1e-8 and then rises again as digits cancel.",
        )
        .axes("step h", "error")
        .log_log()
        .line("difference quotient", errors.clone())
        .line("tape", errors.iter().map(|(h, _)| (*h, tape_error.max(1e-16))).collect()),
    );
    page.prose(
        "To the right of the minimum the truncation error dominates, to the left the rounding error. The \
         tape has no step and so no such choice: its line is flat. A logarithmic axis cannot show an error \
         of 0; it is drawn at 1e-16, about one rounding error.",
    );

    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Baydin et al., \"Automatic Differentiation in Machine Learning: a Survey\" (2018), section 3.",
    );
    page.next("03_jacobian_and_volume: several variables at once.");
    Ok(())
}
