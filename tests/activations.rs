//! Activation functions of conditioners: their values beside the formulas, and what a model file keeps of them.

use pushforward::layers::Activation;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};

const ALL: [Activation; 4] = [Activation::Tanh, Activation::Relu, Activation::Elu, Activation::Silu];

/// The function as its paper has it.
fn formula(activation: Activation, a: f64) -> f64 {
    match activation {
        Activation::Tanh => a.tanh(),
        Activation::Relu => {
            if a > 0.0 {
                a
            } else {
                0.0
            }
        }
        Activation::Elu => {
            if a > 0.0 {
                a
            } else {
                a.exp() - 1.0
            }
        }
        Activation::Silu => a / (1.0 + (-a).exp()),
        other => panic!("no formula of {other:?}"),
    }
}

/// A network of one unit, 2·activation(a) - 1, with and without masks.
fn networks(activation: Activation, points: &[f64]) -> [Vec<f64>; 2] {
    let compute = |is_masked: bool| {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(2));
        let output = match is_masked {
            true => MaskedNetwork::new(2, [1]).with_activation(activation).apply(z, 1)[0].slice(1..2),
            false => Network::new([1]).with_activation(activation).apply(z.slice(0..1), 1),
        };
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(output.id())]);
        let mut parameters = Parameters::initialise(&tape, 0);
        for (name, tensor) in parameters.iter_mut() {
            let value = match name {
                "net.0.weight" => 1.0,
                "net.1.weight" => 2.0,
                "net.1.bias" => -1.0,
                _ => 0.0,
            };
            tensor.values.fill(value);
        }
        program.load(&parameters).unwrap();
        let rows: Vec<f64> = points.iter().flat_map(|a| [*a, 0.3]).collect();
        program.run(&[&rows], points.len()).unwrap().swap_remove(0)
    };
    [compute(false), compute(true)]
}

#[test]
fn each_is_the_function_that_it_says() {
    let points = [-700.0, -30.0, -1.0, -1e-3, 0.0, 1e-3, 0.7, 5.0, 700.0];
    for activation in ALL {
        for found in networks(activation, &points) {
            for (a, found) in points.iter().zip(found) {
                let expected = 2.0 * formula(activation, *a) - 1.0;
                assert!(
                    (found - expected).abs() <= 1e-14 * (1.0 + expected.abs()),
                    "{activation:?}({a}): {found}"
                );
            }
        }
        let [of_nan, masked] = networks(activation, &[f64::NAN]);
        assert!(of_nan[0].is_nan() && masked[0].is_nan(), "{activation:?} of NaN");
    }
}

fn flow(activation: Activation) -> Flow {
    let network = Network::new([4]).with_activation(activation);
    let masked = MaskedNetwork::new(3, [4]).with_activation(activation);
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(AffineCoupling::new(CouplingMask::first_half(3), network)),
        Box::new(Autoregressive::maf(masked)),
    ];
    Flow::new(StandardNormal::new(3), layers).unwrap()
}

fn fitted(activation: Activation) -> FittedFlow {
    let flow = flow(activation);
    let mut parameters = flow.initial(1);
    for (_, tensor) in parameters.iter_mut() {
        tensor.values.iter_mut().enumerate().for_each(|(k, value)| *value += 0.3 * (k as f64).sin());
    }
    flow.with(parameters).unwrap()
}

#[test]
fn a_model_file_keeps_it_and_names_it_only_where_it_is_another() {
    let rows = [0.3, -1.2, 0.8, 2.0, 0.1, -0.4];
    let mut seen = Vec::new();
    for activation in ALL {
        let fitted = fitted(activation);
        let bytes = fitted.to_bytes().unwrap();
        let expected = fitted.log_prob(&rows).unwrap();
        let again = FittedFlow::from_bytes(&bytes, &Registry::catalogue()).unwrap();
        assert_eq!(again.log_prob(&rows).unwrap(), expected, "{activation:?}");
        // Files of before, which know no other function, say nothing of it.
        assert_eq!(String::from_utf8_lossy(&bytes).contains("activation"), activation != Activation::Tanh);
        assert!(!seen.contains(&expected), "{activation:?} makes no difference");
        seen.push(expected);
    }
}
