//! Rows as they were read: some columns are numbers, others are text, and cells may be missing.

use super::error::TableError;
use super::names::nearest;
use super::table::Table;

/// Some rows of a file, column by column, with the line of each row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    columns: Vec<Column>,
    lines: Vec<u64>,
}

/// A column of a [`Block`].
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name, as the file has it.
    pub name: String,
    /// Its cells, row by row.
    pub cells: Cells,
}

/// The cells of a [`Column`].
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Finite numbers; NaN where a cell is missing.
    Numbers(Vec<f64>),
    /// Texts; `None` where a cell is missing.
    Text(Vec<Option<String>>),
}

impl Cells {
    /// The number of cells.
    pub fn len(&self) -> usize {
        match self {
            Cells::Numbers(values) => values.len(),
            Cells::Text(texts) => texts.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the cell of a row is missing.
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Cells::Numbers(values) => values[row].is_nan(),
            Cells::Text(texts) => texts[row].is_none(),
        }
    }

    fn filtered(&self, keep: &impl Fn(usize) -> bool) -> Cells {
        fn kept<T: Clone>(cells: &[T], keep: &impl Fn(usize) -> bool) -> Vec<T> {
            cells.iter().enumerate().filter(|(row, _)| keep(*row)).map(|(_, cell)| cell.clone()).collect()
        }
        match self {
            Cells::Numbers(values) => Cells::Numbers(kept(values, keep)),
            Cells::Text(texts) => Cells::Text(kept(texts, keep)),
        }
    }
}

impl Block {
    /// Makes a block from columns of equal length and the line of each row.
    ///
    /// # Errors
    /// [`TableError::Lengths`] names a column whose number of cells is not that of the lines.
    pub fn new(columns: Vec<Column>, lines: Vec<u64>) -> Result<Block, TableError> {
        match columns.iter().find(|column| column.cells.len() != lines.len()) {
            Some(column) => Err(TableError::Lengths {
                column: column.name.clone(),
                cells: column.cells.len(),
                rows: lines.len(),
            }),
            None => Ok(Block { columns, lines }),
        }
    }

    /// The columns.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The line of each row in its file, counted from 1.
    pub fn lines(&self) -> &[u64] {
        &self.lines
    }

    /// The column of this name.
    ///
    /// # Errors
    /// [`TableError::Column`] has the nearest name and all names.
    pub fn column(&self, name: &str) -> Result<&Column, TableError> {
        self.columns.iter().find(|column| column.name == name).ok_or_else(|| {
            let known = || self.columns.iter().map(|column| column.name.as_str());
            TableError::no_column(None, name, nearest(name, known()), known())
        })
    }

    /// Returns the columns of these names, in their order.
    ///
    /// # Errors
    /// [`TableError::Column`] for a name that no column has.
    pub fn select<Name: AsRef<str>>(&self, names: &[Name]) -> Result<Block, TableError> {
        let columns = names.iter().map(|name| self.column(name.as_ref()).cloned());
        Ok(Block { columns: columns.collect::<Result<_, _>>()?, lines: self.lines.clone() })
    }

    /// Returns the rows for which `keep` returns true, given their index.
    pub fn filter(&self, keep: impl Fn(usize) -> bool) -> Block {
        let filtered =
            |column: &Column| Column { name: column.name.clone(), cells: column.cells.filtered(&keep) };
        let lines = self.lines.iter().enumerate().filter(|(row, _)| keep(*row)).map(|(_, line)| *line);
        Block { lines: lines.collect(), columns: self.columns.iter().map(filtered).collect() }
    }

    /// Adds the rows of a further block of the same columns.
    ///
    /// # Errors
    /// [`TableError::Blocks`] for a block of other columns, or one that has a column as text which is numbers
    /// here.
    pub fn append(&mut self, further: Block) -> Result<(), TableError> {
        let alike = |(ours, theirs): (&Column, &Column)| {
            let cells = matches!(
                (&ours.cells, &theirs.cells),
                (Cells::Numbers(_), Cells::Numbers(_)) | (Cells::Text(_), Cells::Text(_))
            );
            cells && ours.name == theirs.name
        };
        if self.columns.len() != further.columns.len()
            || !self.columns.iter().zip(&further.columns).all(alike)
        {
            return Err(TableError::Blocks);
        }
        for (ours, theirs) in self.columns.iter_mut().zip(further.columns) {
            match (&mut ours.cells, theirs.cells) {
                (Cells::Numbers(values), Cells::Numbers(more)) => values.extend(more),
                (Cells::Text(texts), Cells::Text(more)) => texts.extend(more),
                _ => {}
            }
        }
        self.lines.extend(further.lines);
        Ok(())
    }

    /// Returns all columns as a table of numbers, row after row.
    ///
    /// # Errors
    /// [`TableError::Text`] for a column of text, and [`TableError::MissingCell`].
    pub fn numbers(&self) -> Result<Table, TableError> {
        self.to_table(&self.columns.iter().map(|column| &column.name).collect::<Vec<_>>())
    }

    /// Returns these columns as a table of numbers, row after row.
    ///
    /// # Errors
    /// [`TableError::Column`] for an unknown name, [`TableError::Text`] for a column of text, and
    /// [`TableError::MissingCell`] for a cell without a value.
    pub fn to_table<Name: AsRef<str>>(&self, names: &[Name]) -> Result<Table, TableError> {
        let mut columns = Vec::new();
        for name in names {
            let column = self.column(name.as_ref())?;
            let Cells::Numbers(values) = &column.cells else {
                return Err(TableError::Text { column: column.name.clone() });
            };
            if let Some(row) = values.iter().position(|value| value.is_nan()) {
                let missing = values.iter().filter(|value| value.is_nan()).count();
                return Err(TableError::MissingCell {
                    path: None,
                    line: self.lines[row],
                    column: column.name.clone(),
                    missing,
                });
            }
            columns.push(values);
        }
        let values = (0..self.rows()).flat_map(|row| columns.iter().map(move |column| column[row]));
        Table::new(names, values.collect())
    }
}

/// The rows of a table, whose lines count them from 1.
impl From<&Table> for Block {
    fn from(table: &Table) -> Block {
        let column = |(place, name): (usize, &String)| Column {
            name: name.clone(),
            cells: Cells::Numbers((0..table.rows()).map(|row| table.row(row)[place]).collect()),
        };
        Block {
            columns: table.columns().iter().enumerate().map(column).collect(),
            lines: (1..=table.rows() as u64).collect(),
        }
    }
}
