//! New rows, also given values of some columns, and quantiles of columns given others.

use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::beside::Contexts;
use super::column::{ModelColumn, values};
use super::complete::{Completer, Completions, Partial};
use super::error::ModelError;
use super::model::Model;
use crate::flow::FlowError;
use crate::table::{Block, Cells, Column, Table};

/// Rows that [`Model::sample_blocks`] draws at once.
const BLOCK: usize = 8192;
/// Draws of a row that quantiles are computed from.
const DRAWS: usize = 2048;

impl Model {
    /// Draws rows of the modelled columns.
    ///
    /// `given` has values to condition on: of all columns that the model is [given](Model::given), and of any others that it
    /// models, which is decided here and not in the fit. It has one row for each row that is drawn, or one for all; a
    /// missing value of a modelled column is drawn.
    ///
    /// Draws given values of modelled columns are exact for Gaussian mixtures and where the given columns come first in the
    /// order of a flow; otherwise they are drawn again from many weighted ones (sampling-importance-resampling, Rubin 1987),
    /// at equal distances of their cumulative weight (systematic resampling). A draw is then taken twice only if it has the
    /// weight of more than one of the rows, and more draws are made until none has, up to 131072 for 4096 rows.
    ///
    /// # Errors
    /// [`ModelError::Column`] for given values that cannot be used, or that are so unlikely that too few draws have any
    /// weight; [`ModelError::Flow`], also for a model of couplings when modelled columns are given.
    pub fn sample(&self, count: usize, given: Option<&Block>, seed: u64) -> Result<Block, ModelError> {
        self.check_given(given)?;
        let rows_given = given.map_or(1, Block::rows);
        if rows_given != 1 && rows_given != count {
            let problem = format!(
                "{rows_given} rows of given values do not fit {count} samples; give one, or one for each"
            );
            return Err(ModelError::Column(problem));
        }
        let d = self.columns().len();
        let nothing = Block::new(Vec::new(), vec![0])?;
        let given = given.unwrap_or(&nothing);
        let contexts = self.contexts(given)?;
        let known = values(self.columns(), given, true)?;
        let (drawn, combinations) = match known.iter().all(|value| value.is_nan()) {
            true => self.draw(count, given.rows(), &contexts, seed)?,
            false => self.draw_given(count, &known, &contexts, seed)?,
        };
        let column = |(i, column): (usize, &ModelColumn)| {
            let own: Vec<f64> = drawn.iter().skip(i).step_by(d).map(|value| column.written(*value)).collect();
            // A given value stays what it is: of a rounded column it need not be one of the values of the fit.
            let as_given = match given.column(&column.name) {
                Ok(Column { cells: Cells::Numbers(values), .. }) => values.as_slice(),
                _ => &[],
            };
            let values = own.into_iter().enumerate().map(|(row, drawn)| {
                let known = as_given.get(if rows_given == 1 { 0 } else { row }).copied();
                known.filter(|value| !value.is_nan()).unwrap_or(drawn)
            });
            Column { name: column.name.clone(), cells: Cells::Numbers(values.collect()) }
        };
        let mut columns: Vec<Column> = self.columns().iter().enumerate().map(column).collect();
        columns
            .extend(self.categories().into_iter().flat_map(|categories| categories.written(&combinations)));
        Ok(Block::new(columns, (1..=count as u64).collect())?)
    }

    /// Draws any number of rows in constant memory, a block at a time: `count` rows, or `count` for each row of `given` where
    /// that has several, in their order. The blocks depend on `seed` alone; the first is that of [`Model::sample`].
    ///
    /// # Errors
    /// Each block as [`Model::sample`].
    pub fn sample_blocks<'a>(
        &'a self,
        count: usize,
        given: Option<&'a Block>,
        seed: u64,
    ) -> impl Iterator<Item = Result<Block, ModelError>> + 'a {
        let rows = given.map_or(1, Block::rows);
        let blocks = if rows > 1 { rows } else { count.div_ceil(BLOCK) };
        (0..blocks).map(move |k| {
            let seed = seed.wrapping_add((k as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            match given {
                Some(given) if rows > 1 => self.sample(count, Some(&given.filter(|row| row == k)), seed),
                given => self.sample(BLOCK.min(count - k * BLOCK), given, seed),
            }
        })
    }

    /// Returns quantiles of the columns that are not given, for each row of `given`: columns `name_0.05`, … for each of
    /// `levels`, and `effective`, of how many independent draws the weighted draws are worth. Those of a circle count from
    /// where it is [cut](crate::model::ModelColumn::offset).
    ///
    /// # Errors
    /// As [`Model::sample`], and for levels that are not between 0 and 1.
    pub fn quantiles(&self, given: &Block, levels: &[f64], seed: u64) -> Result<Table, ModelError> {
        self.check_given(Some(given))?;
        if let Some(level) = levels.iter().find(|level| !(0.0..=1.0).contains(*level)) {
            return Err(ModelError::Column(format!("a quantile is between 0 and 1, not {level}")));
        }
        let d = self.columns().len();
        let contexts = self.contexts(given)?;
        let known = values(self.columns(), given, true)?;
        let asked = |i: &usize| given.column(&self.columns()[*i].name).is_err();
        let unknown: Vec<usize> = (0..d).filter(asked).collect();
        let completer = self.completer()?;
        let mut table = Vec::new();
        for row in 0..given.rows() {
            let drawn = self.pool(
                &completer,
                &known[row * d..(row + 1) * d],
                &contexts,
                row,
                DRAWS,
                row_seed(seed, row),
            )?;
            let shares = drawn.shares();
            for i in &unknown {
                // In the order from the cut of a circle, which is where no value is.
                let mut pairs: Vec<(f64, f64)> =
                    drawn.rows.iter().skip(*i).step_by(d).copied().zip(shares.iter().copied()).collect();
                pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
                table.extend(levels.iter().map(|level| self.columns()[*i].written(quantile(&pairs, *level))));
            }
            table.push(drawn.effective());
        }
        let mut names: Vec<String> = Vec::new();
        for i in &unknown {
            names.extend(levels.iter().map(|level| format!("{}_{level}", self.columns()[*i].name)));
        }
        names.push("effective".to_string());
        Ok(Table::new(&names.iter().map(String::as_str).collect::<Vec<_>>(), table)?)
    }

    /// Refuses given columns that are missing or are none of the model.
    fn check_given(&self, given: Option<&Block>) -> Result<(), ModelError> {
        let needed: Vec<&str> = self.given().iter().map(|column| column.name.as_str()).collect();
        let categories = self.categories().map_or(&[][..], |categories| &categories.columns);
        let Some(block) = given else {
            if needed.is_empty() {
                return Ok(());
            }
            let problem =
                format!("this model is conditioned on {}: give a value for each", needed.join(", "));
            return Err(ModelError::Column(problem));
        };
        let own = |name: &str| {
            self.columns().iter().any(|column| column.name == name)
                || categories.iter().any(|column| column.name == name)
        };
        match block.columns().iter().find(|column| !needed.contains(&&*column.name) && !own(&column.name)) {
            Some(column) => {
                let names = self.needs().join(", ");
                Err(ModelError::Column(format!("`{}` is no column of this model: {names}", column.name)))
            }
            None => self.check_values(block),
        }
    }

    /// Refuses given values that a column cannot have, and levels that no row of the fit had.
    fn check_values(&self, block: &Block) -> Result<(), ModelError> {
        let told = |row: usize, name: &str, value: &str, what: &str| {
            let line =
                if block.rows() > 1 { format!("line {}: ", block.lines()[row]) } else { String::new() };
            Err(ModelError::Column(format!("{line}`{name}` is {value}{what}")))
        };
        for column in self.columns() {
            let Ok(Column { cells: Cells::Numbers(values), .. }) = block.column(&column.name) else {
                continue;
            };
            for (row, value) in values.iter().enumerate() {
                if let Some(allowed) = column.kind.outside(*value) {
                    return told(row, &column.name, &value.to_string(), &format!("; it must be {allowed}"));
                }
            }
        }
        for column in self.categories().into_iter().flat_map(|categories| &categories.columns) {
            let Ok(read) = block.column(&column.name) else { continue };
            for row in (0..block.rows()).filter(|row| !read.cells.is_missing(*row)) {
                let level = match &read.cells {
                    Cells::Text(texts) => texts[row].clone().unwrap_or_default(),
                    Cells::Numbers(values) => values[row].to_string(),
                };
                if !column.levels.contains(&level) {
                    let levels = column.levels.join(", ");
                    let what = format!(", which no row of the fit was; the levels are: {levels}");
                    return told(row, &column.name, &format!("`{level}`"), &what);
                }
            }
        }
        Ok(())
    }

    /// An error of numbers that are too far out, with the column that is farthest.
    pub(super) fn far_error(&self, error: ModelError, values: &[f64]) -> ModelError {
        if !matches!(error, ModelError::Flow(FlowError::NotFinite { .. })) {
            return error;
        }
        let far = (0..values.len()).map(|i| (i, self.distance(i, values[i]))).filter(|(_, far)| *far > 1.0);
        let Some((i, _)) = far.max_by(|a, b| a.1.total_cmp(&b.1)) else { return error };
        let (name, usual) = (&self.columns()[i].name, &self.about.usual[i].values);
        const LONG: f64 = 1e12;
        let value = match values[i] {
            value if value.abs() >= LONG => format!("{value:e}"),
            value => value.to_string(),
        };
        ModelError::Column(format!(
            "`{name}` is {value}, so far from the rows of the fit, of which most are from {} to {}, that densities given it \
             cannot be computed",
            usual[0],
            usual[usual.len() - 1]
        ))
    }

    /// Draws rows, and their combinations of levels.
    fn draw(
        &self,
        count: usize,
        rows_given: usize,
        contexts: &Contexts,
        seed: u64,
    ) -> Result<(Vec<f64>, Vec<usize>), ModelError> {
        let d = self.columns().len();
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = vec![0.0; count * d];
        let chosen: Vec<usize> = (0..count).map(|_| pick(&self.about.weights, &mut random)).collect();
        let mut of_row = Vec::with_capacity(count);
        for row in 0..count {
            let options = contexts.of_row(if rows_given == 1 { 0 } else { row });
            if options.is_empty() {
                return Err(impossible());
            }
            let shares: Vec<f64> = options.clone().map(|k| contexts.logs[k].exp()).collect();
            // Without a choice no random number is spent.
            of_row.push(options.start + if options.len() == 1 { 0 } else { pick(&shares, &mut random) });
        }
        for (k, flow) in self.flows.iter().enumerate() {
            let rows: Vec<usize> = (0..count).filter(|row| chosen[*row] == k).collect();
            let own: Vec<f64> = rows.iter().flat_map(|row| contexts.of(of_row[*row])).copied().collect();
            let values = flow.sample_given(rows.len(), &own, random.random::<u64>())?;
            for (row, values) in rows.into_iter().zip(values.chunks(d)) {
                drawn[row * d..(row + 1) * d].copy_from_slice(values);
            }
        }
        Ok((drawn, of_row.into_iter().map(|k| contexts.combinations[k]).collect()))
    }

    /// Draws rows given some of their values.
    fn draw_given(
        &self,
        count: usize,
        known: &[f64],
        contexts: &Contexts,
        seed: u64,
    ) -> Result<(Vec<f64>, Vec<usize>), ModelError> {
        let d = self.columns().len();
        let completer = self.completer()?;
        let given = known.len() / d;
        let (mut drawn, mut combinations) = (Vec::with_capacity(count * d), Vec::with_capacity(count));
        for row in 0..given {
            let values = &known[row * d..(row + 1) * d];
            let mut left = if given == 1 { count } else { 1 };
            let mut random = ChaCha8Rng::seed_from_u64(row_seed(seed, row));
            while left > 0 {
                let wanted = left.min(PIECE);
                left -= wanted;
                let pool = self.wide_pool(&completer, values, contexts, row, wanted, &mut random)?;
                for k in resampled(&pool.shares(), wanted, &mut random) {
                    let sample = &pool.rows[k * d..(k + 1) * d];
                    drawn.extend(
                        sample.iter().zip(values).map(|(x, known)| if known.is_nan() { *x } else { *known }),
                    );
                    combinations.push(pool.combinations[k]);
                }
            }
        }
        Ok((drawn, combinations))
    }

    /// Weighted draws of a row: more and more, until they are worth twice as many independent ones as are wanted, and none
    /// has the weight of more than one of these.
    fn wide_pool(
        &self,
        completer: &Completer<'_>,
        values: &[f64],
        contexts: &Contexts,
        row: usize,
        wanted: usize,
        random: &mut ChaCha8Rng,
    ) -> Result<Completions, ModelError> {
        let enough = (2.0 * wanted as f64).max(FEWEST);
        let mut draws = (4 * wanted).max(DRAWS);
        let pool = loop {
            let pool = self.pool(completer, values, contexts, row, draws, random.random())?;
            let largest = pool.shares().into_iter().fold(0.0, f64::max);
            let is_wide = pool.effective() >= enough && largest * wanted as f64 <= 1.0;
            if is_wide || draws >= MOST_DRAWS {
                break pool;
            }
            draws = (4 * draws).min(MOST_DRAWS);
        };
        let effective = pool.effective();
        if effective >= FEWEST {
            return Ok(pool);
        }
        let names: Vec<&str> = self
            .columns()
            .iter()
            .zip(values)
            .filter(|(_, value)| !value.is_nan())
            .map(|(column, _)| column.name.as_str())
            .collect();
        Err(ModelError::Column(format!(
            "the given values of {} are so unlikely under the model that {draws} draws are worth {effective:.0}; \
             fit a model with --given {}",
            names.join(", "),
            names.join(",")
        )))
    }

    /// Weighted draws of a row, over the combinations of levels that it may have.
    fn pool(
        &self,
        completer: &Completer<'_>,
        values: &[f64],
        contexts: &Contexts,
        row: usize,
        draws: usize,
        seed: u64,
    ) -> Result<Completions, ModelError> {
        let mut pool: Option<Completions> = None;
        for k in contexts.of_row(row) {
            let partial = Partial { values, context: contexts.of(k) };
            let count = (draws as f64 * contexts.logs[k].exp()).ceil() as usize;
            let drawn = completer.complete(&partial, count, seed.wrapping_add(k as u64));
            let mut drawn = drawn.map_err(|error| self.far_error(error, values))?;
            drawn.log_weights.iter_mut().for_each(|log| *log += contexts.logs[k]);
            drawn.combinations.fill(contexts.combinations[k]);
            match &mut pool {
                None => pool = Some(drawn),
                Some(pool) => pool.append(drawn),
            }
        }
        pool.ok_or_else(impossible)
    }
}

/// A level that no row of the fit had.
fn impossible() -> ModelError {
    ModelError::Column("a given category has a level that no row of the fit had".to_string())
}

/// Rows that are drawn from one pool of weighted draws.
const PIECE: usize = 1 << 12;
/// The most draws of a pool.
const MOST_DRAWS: usize = 1 << 17;
/// Fewer independent draws are too few to draw even one row from.
const FEWEST: f64 = 100.0;

/// The seed of a row.
fn row_seed(seed: u64, row: usize) -> u64 {
    seed.wrapping_add((row as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Draws so many indices by shares that sum to 1, in any order: systematic resampling (Carpenter, Clifford, Fearnhead,
/// "Improved particle filter for nonlinear problems", 1999). An index of share s comes ⌊s·count⌋ or ⌈s·count⌉ times.
fn resampled(shares: &[f64], count: usize, random: &mut impl Rng) -> Vec<usize> {
    let first = random.random::<f64>();
    let mut indices = Vec::with_capacity(count);
    let mut below = 0.0;
    for (k, share) in shares.iter().enumerate() {
        below += share * count as f64;
        while indices.len() < count && first + (indices.len() as f64) < below {
            indices.push(k);
        }
    }
    // Rounding of the sum can leave out the last.
    let last = shares.iter().rposition(|share| *share > 0.0).unwrap_or(0);
    indices.resize(count, last);
    // Draws of one part of a mixture lie side by side.
    for k in (1..count).rev() {
        indices.swap(k, random.random_range(0..=k));
    }
    indices
}

/// Draws an index by weight.
fn pick(weights: &[f64], random: &mut impl Rng) -> usize {
    let mut left = random.random::<f64>() * weights.iter().sum::<f64>();
    let found = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    found.unwrap_or(weights.len() - 1)
}

/// The quantile of values with shares that sum to 1, in ascending order.
pub(super) fn quantile(pairs: &[(f64, f64)], level: f64) -> f64 {
    let mut below = 0.0;
    for (value, share) in pairs {
        below += share;
        if below >= level {
            return *value;
        }
    }
    pairs.last().map_or(f64::NAN, |(value, _)| *value)
}
