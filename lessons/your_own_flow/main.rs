//! A layer of its own: derived, audited, trained, saved, loaded, sampled.

mod layer;

use layer::Own;
use pushforward::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, first, second] = arguments.as_slice() else {
        return Err("tell a table and two of its columns".into());
    };
    println!("{}", derive(&Own)?);
    println!("{}", audit(&Own)?);

    let columns = [first.as_str(), second.as_str()];
    let table = Table::read(path, &columns, |_| true)?;
    let training = table.filter(|row| row % 10 < 8);
    let test = table.filter(|row| row % 10 == 9);
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(Affine::identity(2)),
        Box::new(Own),
        Box::new(Affine::standardising(&training.moments())), // fixed
    ];
    let flow = Flow::new(StandardNormal::new(2), layers)?;
    let options = FitOptions {
        seed: 7,
        epochs: 60,
        learning_rate: 1e-2,
        // The rest as it is.
        ..FitOptions::default()
    };
    let fitted = flow.fit(&training, options)?;

    let mean = |log_p: &[f64]| log_p.iter().sum::<f64>() / log_p.len() as f64;
    let gaussian = Gaussian::fit(&training);
    println!("a Gaussian: {:.3}", mean(&gaussian.log_prob(&test)));
    println!("the flow:   {:.3}", mean(&fitted.log_prob(test.values())?));
    fitted.save("own.model")?;

    let registry = Registry::catalogue().with_layer::<Own>("own");
    let loaded = FittedFlow::load_with("own.model", &registry)?;
    println!("a new row:  {:?}", loaded.sample(1, 7)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_derivation_is_pinned() {
        insta::assert_snapshot!(derive(&Own).unwrap());
    }

    #[test]
    fn nothing_is_refuted() {
        assert!(audit(&Own).unwrap().has_no_refutation());
    }
}
