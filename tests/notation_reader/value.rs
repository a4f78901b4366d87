//! Values of formulas: numbers with shapes.

/// A scalar, a vector or a matrix.
#[derive(Clone, Debug, PartialEq)]
pub struct Value {
    pub rows: usize,
    pub columns: usize,
    pub numbers: Vec<f64>,
    pub is_matrix: bool,
}

impl Value {
    pub fn scalar(number: f64) -> Value {
        Value { rows: 1, columns: 1, numbers: vec![number], is_matrix: false }
    }

    pub fn vector(numbers: Vec<f64>) -> Value {
        Value { rows: numbers.len(), columns: 1, numbers, is_matrix: false }
    }

    pub fn matrix(rows: usize, columns: usize, numbers: Vec<f64>) -> Value {
        assert_eq!(rows * columns, numbers.len());
        Value { rows, columns, numbers, is_matrix: true }
    }

    pub fn is_scalar(&self) -> bool {
        self.numbers.len() == 1
    }

    pub fn map(&self, f: impl Fn(f64) -> f64) -> Value {
        Value { numbers: self.numbers.iter().map(|x| f(*x)).collect(), ..self.clone() }
    }

    pub fn zip(&self, other: &Value, f: impl Fn(f64, f64) -> f64) -> Result<Value, String> {
        match (self.is_scalar(), other.is_scalar()) {
            (_, true) if !self.is_scalar() || !other.is_matrix => Ok(self.map(|x| f(x, other.numbers[0]))),
            (true, _) => Ok(other.map(|y| f(self.numbers[0], y))),
            _ if (self.rows, self.columns) == (other.rows, other.columns) => {
                let numbers = self.numbers.iter().zip(&other.numbers).map(|(x, y)| f(*x, *y)).collect();
                Ok(Value { numbers, is_matrix: self.is_matrix || other.is_matrix, ..self.clone() })
            }
            // One letter stands for the identity of every size.
            _ if self.is_identity() && other.is_square() => Value::identity(other.rows).zip(other, f),
            _ if other.is_identity() && self.is_square() => self.zip(&Value::identity(self.rows), f),
            _ => Err(format!("{}×{} with {}×{}", self.rows, self.columns, other.rows, other.columns)),
        }
    }

    pub fn identity(n: usize) -> Value {
        Value::matrix(n, n, (0..n * n).map(|e| f64::from(u8::from(e / n == e % n))).collect())
    }

    fn is_square(&self) -> bool {
        self.is_matrix && self.rows == self.columns
    }

    fn is_identity(&self) -> bool {
        self.is_square() && *self == Value::identity(self.rows)
    }

    pub fn product(&self, other: &Value) -> Result<Value, String> {
        // A row taken out of a matrix is read as a vector: before a matrix it is a row again.
        if !self.is_matrix && other.is_matrix && self.rows > 1 && self.rows == other.rows && other.columns > 1
        {
            return self.transposed().product(other);
        }
        if self.columns == other.rows
            && (self.is_matrix || other.is_matrix)
            && (self.is_matrix || !self.is_scalar())
        {
            let (n, inner, m) = (self.rows, self.columns, other.columns);
            let entry = |e: usize| {
                (0..inner).map(|k| self.numbers[e / m * inner + k] * other.numbers[k * m + e % m]).sum()
            };
            let numbers = (0..n * m).map(entry).collect();
            return Ok(Value { rows: n, columns: m, numbers, is_matrix: other.is_matrix });
        }
        match self.is_scalar() || other.is_scalar() {
            true => self.zip(other, |x, y| x * y),
            false => Err(format!("{}×{} times {}×{}", self.rows, self.columns, other.rows, other.columns)),
        }
    }

    pub fn transposed(&self) -> Value {
        let numbers =
            (0..self.numbers.len()).map(|e| self.numbers[e % self.rows * self.columns + e / self.rows]);
        Value { rows: self.columns, columns: self.rows, numbers: numbers.collect(), is_matrix: true }
    }

    /// The inverse and the determinant, by Gauss and Jordan.
    pub fn inverse(&self) -> Result<(Value, f64), String> {
        let n = self.rows;
        if n != self.columns {
            return Err(format!("{n}×{} has no inverse", self.columns));
        }
        let (mut a, mut det) = (self.numbers.clone(), 1.0);
        let mut b: Vec<f64> = (0..n * n).map(|e| f64::from(u8::from(e / n == e % n))).collect();
        for k in 0..n {
            let pivot = (k..n).max_by(|i, j| a[i * n + k].abs().total_cmp(&a[j * n + k].abs())).unwrap();
            if pivot != k {
                det = -det;
                for c in 0..n {
                    a.swap(k * n + c, pivot * n + c);
                    b.swap(k * n + c, pivot * n + c);
                }
            }
            let head = a[k * n + k];
            det *= head;
            for c in 0..n {
                a[k * n + c] /= head;
                b[k * n + c] /= head;
            }
            for i in (0..n).filter(|i| *i != k) {
                let factor = a[i * n + k];
                for c in 0..n {
                    a[i * n + c] -= factor * a[k * n + c];
                    b[i * n + c] -= factor * b[k * n + c];
                }
            }
        }
        Ok((Value { numbers: b, ..self.clone() }, det))
    }
}
