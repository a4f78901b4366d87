//! Parameters that two layers would share: an error that names both places, unless sharing is declared.

use pushforward::prelude::*;

type Record = for<'t> fn(&AffineCoupling, &AffineCoupling, Var<'t>) -> Var<'t>;

/// A layer of two couplings that are recorded inside of one `forward`.
struct Both {
    first: AffineCoupling,
    second: AffineCoupling,
    record: Record,
}

impl Bijection for Both {
    fn dim(&self) -> usize {
        4
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.record)(&self.first, &self.second, z)
    }
}

fn both(record: Record) -> Both {
    let coupling = |mask| AffineCoupling::new(mask, Network::new([4]));
    Both {
        first: coupling(CouplingMask::first_half(4)),
        second: coupling(CouplingMask::second_half(4)),
        record,
    }
}

/// How many parameters it has, or what is wrong.
fn recorded(layer: &impl Bijection) -> Result<usize, String> {
    record(layer).map(|recording| recording.parameters().len()).map_err(|error| error.to_string())
}

#[test]
fn two_layers_of_one_forward_do_not_share_weights_without_a_word() {
    let error = recorded(&both(|first, second, z| {
        let between = first.forward(z);
        second.forward(between)
    }))
    .unwrap_err();
    assert!(error.contains("`net.0.weight` is declared twice in one call"), "{error}");
    assert!(error.contains("z.tape().scope(\"first\", || layer.forward(z))"), "{error}");
    // Both places, and each parameter told once.
    let places: Vec<&str> = error.split("tests/shared_weights.rs:").skip(1).collect();
    assert_eq!(places.len(), 2 * 5, "{error}");
    let line = |text: &str| text.split(':').next().unwrap().parse::<u32>().unwrap();
    assert_eq!(line(places[0]) + 1, line(places[1]), "{error}");
    // One after the other in a loop: the places are one, the layers are two.
    let error = recorded(&both(|first, second, z| {
        let mut x = z;
        for layer in [first, second] {
            x = layer.forward(x);
        }
        x
    }))
    .unwrap_err();
    assert!(error.contains("is declared twice in one call"), "{error}");
    // A layer that is turned round, and one that is reached through the library.
    let error = recorded(&both(|first, second, z| {
        let between = Inverse::new(first.clone()).forward(z);
        Inverse::new(second.clone()).forward(between)
    }))
    .unwrap_err();
    assert!(error.contains("is declared twice in one call"), "{error}");
    let error = recorded(&both(|first, second, z| {
        // Each of the two is right alone; what is wrong is noted on the tape.
        let pushed =
            |layer, z| pushforward::bijection::forward_with_log_det(layer, z).map_or(z, |pushed| pushed.x);
        let between = pushed(first, z);
        pushed(second, between)
    }))
    .unwrap_err();
    assert!(error.contains("is declared twice in one call, first at tests/shared_weights.rs"), "{error}");
}

#[test]
fn a_scope_gives_each_layer_weights_of_its_own_and_sharing_is_said() {
    let scoped = both(|first, second, z| {
        let tape = z.tape();
        let between = tape.scope("first", || first.forward(z));
        tape.scope("second", || second.forward(between))
    });
    assert_eq!(recorded(&scoped), Ok(10));
    let shared = both(|first, second, z| {
        let between = first.forward(z);
        z.tape().shared(|| second.forward(between))
    });
    assert_eq!(recorded(&shared), Ok(5));
    // What is shared once may not be met again without a word.
    let error = recorded(&both(|first, second, z| {
        let between = first.forward(z);
        let after = z.tape().shared(|| second.forward(between));
        first.forward(after)
    }))
    .unwrap_err();
    assert!(error.contains("is declared twice in one call"), "{error}");
    // Its own inverse, and the flow over it, record it many times: that is one layer.
    let chain = both(|first, second, z| {
        let chain = Chain::new([first, second].map(|layer| Box::new(layer.clone()) as Box<dyn Bijection>));
        chain.forward(z)
    });
    assert_eq!(recorded(&chain), Ok(10));
    let layers = || [Box::new(Autoregressive::maf(MaskedNetwork::new(3, [4]))) as Box<dyn Bijection>];
    assert!(Flow::new(StandardNormal::new(3), layers().into_iter().chain(layers())).is_ok());
}
