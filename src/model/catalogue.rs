//! The names of the library's own layers, transformers, vector fields and bases: one row each.

use serde::Deserialize;

use super::registry::{Build, Registry, read};
use crate::base::{Base, GaussianMixture, Logistic, StandardNormal, StudentT, Uniform};
use crate::bijection::{Bijection, Chain, Description, Inverse};
use crate::layers::{
    Affine, AffineTransformer, Autoregressive, CircularSpline, Continuous, Coupling, CouplingMask,
    Divergence, Elementwise, Field, Linear, MaskedNetwork, Network, NetworkField, Permutation,
    RationalQuadraticSpline, ShiftTransformer, Solver, SplineTransformer, Transformer, Triangular,
};

/// A row of a type that is its own settings.
macro_rules! plain {
    ($name:literal, $type:ty) => {
        ($name, |settings, _| Ok(Box::new(read::<$type>(settings)?)))
    };
}

impl Registry {
    /// Returns a registry of everything in the library.
    pub fn catalogue() -> Registry {
        Registry::of(layers(), transformers(), fields(), bases())
    }
}

fn layers() -> Vec<(&'static str, Build<dyn Bijection>)> {
    vec![
        plain!("affine", Affine),
        ("autoregressive", |settings, registry| {
            let AutoregressiveSettings { network, transformer } = read(settings)?;
            Ok(Box::new(Autoregressive::with(network, registry.transformer(&transformer)?)))
        }),
        ("chain", |settings, registry| {
            let layers: Vec<Description> = read(settings)?;
            let layers: Result<Vec<_>, _> = layers.iter().map(|layer| registry.layer(layer)).collect();
            Ok(Box::new(Chain::new(layers?)))
        }),
        plain!("circular_spline", CircularSpline),
        ("continuous", |settings, registry| {
            let ContinuousSettings { field, solver, steps, span, divergence, tolerance } = read(settings)?;
            let layer = Continuous::new(registry.field(&field)?, solver, steps);
            Ok(Box::new(layer.between(span.0, span.1).with_divergence(divergence).with_tolerance(tolerance)))
        }),
        ("coupling", |settings, registry| {
            let CouplingSettings { mask, network, transformer } = read(settings)?;
            Ok(Box::new(Coupling::with(mask, network, registry.transformer(&transformer)?)))
        }),
        plain!("elementwise", Elementwise),
        ("inverse", |settings, registry| Ok(Box::new(Inverse::new(registry.layer(&read(settings)?)?)))),
        plain!("linear", Linear),
        plain!("permutation", Permutation),
        plain!("rational_quadratic_spline", RationalQuadraticSpline),
        plain!("triangular", Triangular),
    ]
}

fn transformers() -> Vec<(&'static str, Build<dyn Transformer>)> {
    vec![
        plain!("affine", AffineTransformer),
        plain!("shift", ShiftTransformer),
        plain!("spline", SplineTransformer),
    ]
}

fn fields() -> Vec<(&'static str, Build<dyn Field>)> {
    vec![plain!("network", NetworkField)]
}

fn bases() -> Vec<(&'static str, Build<dyn Base>)> {
    vec![
        plain!("gaussian_mixture", GaussianMixture),
        plain!("logistic", Logistic),
        plain!("standard_normal", StandardNormal),
        plain!("student_t", StudentT),
        plain!("uniform", Uniform),
    ]
}

#[derive(Deserialize)]
struct AutoregressiveSettings {
    network: MaskedNetwork,
    transformer: Description,
}

#[derive(Deserialize)]
struct CouplingSettings {
    mask: CouplingMask,
    network: Network,
    transformer: Description,
}

#[derive(Deserialize)]
struct ContinuousSettings {
    field: Description,
    solver: Solver,
    steps: usize,
    span: (f64, f64),
    divergence: Divergence,
    tolerance: f64,
}
