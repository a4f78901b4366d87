//! What a model is, as text.

use std::fmt;

use super::model::Model;
use crate::bijection::Bijection;
use crate::table::Kind;

/// Columns with their kinds, how it was fitted, and the flows with their weights and layers; a line each.
impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fit = self.fit_record();
        let categories = || self.categories().into_iter().flat_map(|categories| &categories.columns);
        writeln!(f, "A density of {} columns:", self.columns().len() + categories().count())?;
        for column in self.columns() {
            let cell = match column.kind {
                Kind::Rounded { .. } => ", before rounding",
                _ if column.cell > 0.0 => ", ties spread over a thousandth of its deviation",
                _ => "",
            };
            writeln!(f, "  {:<30} {}{cell}", column.name, column.kind)?;
        }
        for column in categories() {
            let (count, levels) = (column.levels.len(), column.levels.join(", "));
            writeln!(f, "  {:<30} {count} levels: {levels}", column.name)?;
        }
        if !self.given().is_empty() {
            writeln!(f, "given:")?;
            for column in self.given() {
                writeln!(f, "  {}", column.name)?;
            }
        }
        if !self.reading().missing_markers.is_empty() {
            let markers = self.reading().missing_markers.join(" or ");
            writeln!(f, "missing where a cell is {markers}, in new tables too")?;
        }
        writeln!(
            f,
            "Fitted to {} rows and chosen by {} others, with seed {}, by pushforward {}.",
            fit.rows, fit.held_out, fit.seed, fit.library
        )?;
        writeln!(f, "Mean ln p of those: {:.3} ± {:.3} nats. It is a mixture of:", fit.score, fit.error)?;
        let kept = fit.candidates.iter().filter(|candidate| candidate.weight > 0.0);
        for (candidate, (weight, flow)) in kept.zip(self.flows()) {
            let count = flow.parameters().count();
            writeln!(f, "  {:>3.0}% {} ({count} parameters)", 100.0 * weight, candidate.name)?;
            for (k, layer) in flow.flow().bijection().layers().iter().enumerate() {
                writeln!(f, "         layers.{k} {}", layer.name())?;
            }
        }
        Ok(())
    }
}
