//! One transform of a state dict: which layer it is.

use super::error::ZukoError;
use super::settings::Settings;
use super::state_dict::StateDict;
use crate::bijection::{Bijection, Inverse};
use crate::layers::{
    AffineTransformer, Autoregressive, Coupling, CouplingMask, MaskedNetwork, Network, ScaleMap,
    ShiftTransformer, SplineConstraint, SplineTransformer, Transformer,
};

/// What the tensors of a transform say.
pub(super) struct Transform {
    number: usize,
    pub kind: Kind,
    /// The linear maps of its network: their numbers in `hyper`.
    pub linear: Vec<usize>,
    /// The inputs of the network that are variables; a context has the columns after them.
    pub inputs: usize,
    pub context: usize,
    /// The variables that are transformed.
    pub transformed: usize,
    /// The numbers of the network for each of them.
    pub numbers: usize,
    /// Widths of the hidden layers.
    hidden: Vec<usize>,
}

pub(super) enum Kind {
    /// Whether a variable is copied.
    Coupling(Vec<bool>),
    /// The place of each variable in the order, from 0.
    Autoregressive(Vec<usize>),
}

impl Transform {
    pub fn read(dict: &StateDict, number: usize, d: usize) -> Result<Transform, ZukoError> {
        let prefix = format!("transform.transforms.{number}.");
        let refused = |problem: String| Err(ZukoError::Transform { transform: number, problem });
        let has = |name: &str| dict.entries.contains_key(&format!("{prefix}{name}"));
        let (kind, inputs, transformed) = match (has("mask"), has("order")) {
            (true, false) => {
                let mask = coupling_mask(dict, &format!("{prefix}mask"), d)?;
                let copied = mask.iter().filter(|copied| **copied).count();
                (Kind::Coupling(mask), copied, d - copied)
            }
            (false, true) => (Kind::Autoregressive(order(dict, number, &format!("{prefix}order"), d)?), d, d),
            _ => {
                let problem =
                    "has neither the `mask` of a coupling nor the `order` of an autoregressive layer";
                return refused(problem.to_string());
            }
        };
        let linear = linear_maps(dict, &prefix);
        let spaced = linear.iter().enumerate().all(|(j, at)| *at == 2 * j);
        if linear.is_empty() || !spaced {
            let problem = format!(
                "has linear maps {linear:?} in its network, and not 0, 2, 4, …: one that normalises or has residual blocks \
                 has no counterpart here"
            );
            return refused(problem);
        }
        let mut widths = Vec::new();
        let mut before = None;
        for at in &linear {
            let name = format!("{prefix}hyper.{at}.weight");
            let weight = dict.with_axes(&name, 2)?;
            let [rows, columns] = [weight.extents[0], weight.extents[1]];
            let fits = before.map_or(columns >= inputs, |before| columns == before);
            if !fits || rows == 0 {
                let before = before.unwrap_or(inputs);
                let problem = format!("has the shape {:?}, where there are {before} inputs", weight.extents);
                return Err(ZukoError::Tensor { name, problem });
            }
            widths.push((rows, columns));
            before = Some(rows);
        }
        let (outputs, context) = (widths[widths.len() - 1].0, widths[0].1 - inputs);
        if outputs % transformed != 0 {
            let problem = format!("has {outputs} outputs of its network for {transformed} variables");
            return refused(problem);
        }
        let hidden = widths[..widths.len() - 1].iter().map(|(rows, _)| *rows).collect();
        let numbers = outputs / transformed;
        let read = Transform { number, kind, linear, inputs, context, transformed, numbers, hidden };
        read.check_masks(dict, &prefix)?;
        Ok(read)
    }

    /// Where the numbers of our transformers stand among those of zuko's for one variable.
    pub fn place_of(&self, number: usize) -> usize {
        // Affine: the log-scale and then the shift here, the shift first there.
        if self.numbers == 2 { 1 - number } else { number }
    }

    /// The layer from z to x.
    pub fn layer(&self, settings: &Settings) -> Result<Box<dyn Bijection>, ZukoError> {
        let transformer = self.transformer(settings)?;
        Ok(match &self.kind {
            Kind::Coupling(mask) => {
                let network = Network::new(self.hidden.clone());
                let network = network.with_context(self.context).with_activation(settings.activation);
                Box::new(Inverse::new(Coupling::with(CouplingMask::new(mask), network, transformer)))
            }
            Kind::Autoregressive(order) => {
                let places = order.iter().map(|place| place + 1).collect();
                let network = MaskedNetwork::with_degrees(places, self.degrees());
                let network = network.with_context(self.context).with_activation(settings.activation);
                Box::new(Inverse::new(Autoregressive::with(network, transformer)))
            }
        })
    }

    fn transformer(&self, settings: &Settings) -> Result<Box<dyn Transformer>, ZukoError> {
        let slope = settings.slope;
        Ok(match self.numbers {
            1 => Box::new(ShiftTransformer),
            2 => Box::new(AffineTransformer::new(ScaleMap::SoftClipped { slope })),
            n if n >= 5 && n % 3 == 2 => {
                let spline = SplineTransformer::new(n.div_ceil(3), settings.bound);
                Box::new(spline.with_constraint(SplineConstraint::SoftClipped { slope }))
            }
            n => {
                let problem = format!(
                    "has a network with {n} numbers for each variable: 1 are a shift, 2 affine, 3K - 1 a rational-quadratic \
                     spline of K bins; no other univariate transform is read"
                );
                return Err(ZukoError::Transform { transform: self.number, problem });
            }
        })
    }

    /// The degrees of hidden units: zuko deals those that occur one after another to the units of each layer.
    fn degrees(&self) -> Vec<Vec<usize>> {
        let least = usize::from(self.context == 0);
        let count = self.inputs - least;
        self.hidden.iter().map(|width| (0..*width).map(|unit| least + unit % count).collect()).collect()
    }

    /// Checks that the masks of the file are those of the degrees.
    fn check_masks(&self, dict: &StateDict, prefix: &str) -> Result<(), ZukoError> {
        let Kind::Autoregressive(order) = &self.kind else { return Ok(()) };
        let degrees = self.degrees();
        // The inputs by what a unit of their degree would read, with a context that all units read.
        let mut before: Vec<usize> = order.iter().map(|place| place + 1).collect();
        before.extend(std::iter::repeat_n(0, self.context));
        for (j, at) in self.linear.iter().enumerate() {
            let own: Vec<usize> = match degrees.get(j) {
                Some(own) => own.clone(),
                None => order.iter().flat_map(|place| std::iter::repeat_n(*place, self.numbers)).collect(),
            };
            let name = format!("{prefix}hyper.{at}.mask");
            let stored = dict.with_axes(&name, 2)?;
            let meant = own
                .iter()
                .flat_map(|own| before.iter().map(move |before| f64::from(u8::from(before <= own))));
            if stored.extents != [own.len(), before.len()] || !stored.values.iter().copied().eq(meant) {
                let problem = "is not the mask of an autoregressive layer with this order (an adjacency matrix or residual \
                               blocks have no counterpart here)";
                return Err(ZukoError::Tensor { name, problem: problem.to_string() });
            }
            before = own;
        }
        Ok(())
    }
}

fn coupling_mask(dict: &StateDict, name: &str, d: usize) -> Result<Vec<bool>, ZukoError> {
    let mask: Vec<bool> = dict.with_axes(name, 1)?.values.iter().map(|value| *value != 0.0).collect();
    let copied = mask.iter().filter(|copied| **copied).count();
    if mask.len() == d && (1..d).contains(&copied) {
        return Ok(mask);
    }
    let problem = format!("copies {copied} of {} variables, where there are {d}", mask.len());
    Err(ZukoError::Tensor { name: name.to_string(), problem })
}

fn order(dict: &StateDict, number: usize, name: &str, d: usize) -> Result<Vec<usize>, ZukoError> {
    let order: Vec<f64> = dict.with_axes(name, 1)?.values.clone();
    let mut sorted = order.clone();
    sorted.sort_by(f64::total_cmp);
    let each_once = sorted.iter().enumerate().all(|(k, place)| k as f64 == *place);
    if order.len() == d && d > 1 && each_once {
        return Ok(order.iter().map(|place| *place as usize).collect());
    }
    let problem = format!(
        "has the order {order:?} of {d} variables: only orders in which each has a place of its own are read (in zuko \
         passes=None); coupling is `GeneralCouplingTransform`"
    );
    Err(ZukoError::Transform { transform: number, problem })
}

/// The numbers of the linear maps in `hyper`, ascending.
fn linear_maps(dict: &StateDict, prefix: &str) -> Vec<usize> {
    let start = format!("{prefix}hyper.");
    let number = |name: &String| name.strip_prefix(&start)?.strip_suffix(".weight")?.parse().ok();
    let mut found: Vec<usize> = dict.entries.keys().filter_map(number).collect();
    found.sort_unstable();
    found
}
