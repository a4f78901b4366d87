//! Bijections as data: the formulas of `forward`, and of what else was written by hand, as lists of operations.
//!
//! What a bijection of another language is made to ([`Listing`]). It is recorded like any other, so that everything that holds
//! for a layer holds for it, and a model file keeps it whole: who reads the file needs neither its code nor its language.

use std::panic::Location;

#[cfg(feature = "serde")]
use super::Description;
use super::{Bijection, Checked, Domain};
use crate::jacobian::{Structure, map, strongest_structure};
use crate::tape::{Listing, Shape, Tape, Var};

/// A bijection whose formulas are data.
///
/// ```
/// use pushforward::bijection::RecordedMap;
/// use pushforward::prelude::*;
/// use pushforward::tape::Listing;
///
/// let tape = Tape::new();
/// let z = tape.input(Shape::Vector(2));
/// let x = stack([z.at(0), z.at(1) * z.at(0).tanh().exp()]);
/// let bend = RecordedMap::new("Bend", Listing::of(&tape, z.id(), x.id())).with_found_structure();
/// assert_eq!(bend.structure(), Structure::LowerTriangular);
///
/// let written = serde_json::to_string(&bend)?;
/// let read: RecordedMap = serde_json::from_str(&written)?;
/// assert!(derive(&read)?.to_string().contains("ln|det J| = tanh(z₁)"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RecordedMap {
    name: String,
    forward: Listing,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    inverse: Option<Listing>,
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    log_det: Option<Listing>,
    structure: Structure,
    domain: Domain,
    codomain: Domain,
}

impl RecordedMap {
    /// Builds the map x = f(z) of this name, from a listing of a function of a vector.
    ///
    /// # Panics
    /// When the listing is a function of something else.
    pub fn new(name: &str, forward: Listing) -> RecordedMap {
        let (structure, domain) = (Structure::Dense, Domain::Reals);
        let (inverse, log_det, codomain) = (None, None, Domain::Reals);
        let name = name.to_string();
        RecordedMap { name, forward, inverse, log_det, structure, domain, codomain }.checked()
    }

    /// Declares a structure.
    pub fn with_structure(self, structure: Structure) -> RecordedMap {
        RecordedMap { structure, ..self }
    }

    /// Declares the strongest structure that is found.
    pub fn with_found_structure(self) -> RecordedMap {
        let tape = Tape::new();
        let z = tape.input(self.forward.input());
        let x = self.forward.record(z);
        let structure = match x.shape() == z.shape() {
            true => strongest_structure(&tape, &map(&tape, z.id(), x.id())),
            // An error that recording tells.
            false => Structure::Dense,
        };
        self.with_structure(structure)
    }

    /// Gives the inverse z = f⁻¹(x) by hand.
    ///
    /// # Panics
    /// When it is a function of something else than a vector of as many variables.
    pub fn with_inverse(self, inverse: Listing) -> RecordedMap {
        RecordedMap { inverse: Some(inverse), ..self }.checked()
    }

    /// Gives ln|det J_f(z)| by hand, for the audit to compare.
    ///
    /// # Panics
    /// As [`RecordedMap::with_inverse`].
    pub fn with_log_det(self, log_det: Listing) -> RecordedMap {
        RecordedMap { log_det: Some(log_det), ..self }.checked()
    }

    /// Declares the domain and the codomain.
    pub fn between(self, domain: Domain, codomain: Domain) -> RecordedMap {
        RecordedMap { domain, codomain, ..self }
    }
}

impl Checked for RecordedMap {
    fn fault(&self) -> Option<String> {
        let input = self.forward.input();
        if !matches!(input, Shape::Vector(_)) {
            return Some(format!("forward is a function of a vector, not of {input}"));
        }
        let others = [("inverse", &self.inverse), ("log_det", &self.log_det)];
        let other = others.iter().find_map(|(name, listing)| {
            listing.as_ref().filter(|listing| listing.input() != input).map(|listing| (name, listing.input()))
        });
        other.map(|(name, given)| format!("forward is a function of {input}, but {name} of {given}"))
    }
}

impl Bijection for RecordedMap {
    fn dim(&self) -> usize {
        self.forward.input().len()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.forward.record(z))
    }

    fn structure(&self) -> Structure {
        self.structure.clone()
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let inverse = self.inverse.as_ref()?;
        Some(x.tape().called_from(Location::caller(), || inverse.record(x)))
    }

    #[track_caller]
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        let log_det = self.log_det.as_ref()?;
        Some(z.tape().called_from(Location::caller(), || log_det.record(z)))
    }

    fn domain(&self) -> Domain {
        self.domain.clone()
    }

    fn codomain(&self) -> Domain {
        self.codomain.clone()
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("recorded_map", self)
    }
}
