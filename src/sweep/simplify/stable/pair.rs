//! Two products that become one: p + q, by what q/p is.

use super::product::Product;
use crate::sweep::simplify::exact::exact_product;
use crate::sweep::simplify::pattern::{Found, Head, Pattern};
use crate::sweep::simplify::terms::Terms;
use crate::sweep::simplify::{Rule, Simplifier};
use crate::tape::{Binary, Node, NodeId, Op, Unary};

impl Simplifier<'_> {
    /// p + q as one product, by what q/p is.
    pub(super) fn combined(&mut self, p: &Product, q: &Product) -> Option<(Product, Rule)> {
        let same = p.c.signum() == q.c.signum();
        let mut ratio = q.clone();
        ratio.times(&Product { c: 1.0, ..p.clone() }, -1)?;
        let mut result = p.clone();
        if p.c.abs() != q.c.abs() {
            // p + c·p·eᵃ = p + p·e^(a + ln c)
            let known = |id: &NodeId| self.is(*id, Unary::Sigmoid);
            if !same || !ratio.letters.keys().all(known) || p.exponent.is_zero() && q.exponent.is_zero() {
                return None;
            }
            for (c, sign) in [(q.c.abs(), 1.0), (p.c.abs(), -1.0)] {
                if c != 1.0 {
                    let log = self.tape.constant(c).ln().broadcast(ratio.exponent.shape);
                    ratio.exponent.add(log.id(), sign);
                }
            }
        }
        if ratio.letters.is_empty() {
            return self.beside_exponential((p, q), &ratio.exponent, result);
        }
        if !same
            && p.c.abs() == q.c.abs()
            && let Some((u, k)) = self.square_over_sum(&ratio)
        {
            // 1 - t²/u with u = t² + k
            result.letter(u, -1)?;
            self.number_factor(&mut result, k, ratio.exponent.shape)?;
            return Some((result, Rule::CommonFactor));
        }
        if !same
            && p.c.abs() == q.c.abs()
            && let Some((rest, u)) = self.part_of_sum(&ratio)
        {
            // 1 - t/u with u = rest + t
            result.letter(rest, 1)?;
            result.letter(u, -1)?;
            return Some((result, Rule::CommonFactor));
        }
        if let Some(quotient) = self.beside_over_exp_m1(&ratio, same, &result) {
            return Some((quotient, Rule::OnePlusExpM1));
        }
        if same
            && ratio.exponent.is_zero()
            && let Some(id) = self.square_beside_square(&ratio)
        {
            result.letter(id, -2)?;
            return Some((result, Rule::SineCosine));
        }
        let probabilities = ratio.letters.keys().all(|id| self.is(*id, Unary::Sigmoid));
        let single = match ratio.letters.iter().next() {
            Some((id, exponent)) if ratio.letters.len() == 1 && ratio.exponent.is_zero() => {
                Some((*id, *exponent))
            }
            _ => None,
        };
        if let Some((id, exponent)) = single
            && let Some(found) = self.found_beside_one(id, exponent, same)
        {
            self.multiply(&mut result, &found.law.right, &found.found, 1)?;
            return Some((result, found.rule));
        }
        match single.map(|(id, exponent)| (self.tape.node(id), exponent)) {
            // 1 + u⁻ᵏ, of which u⁻ᵏ may be ∞ where its logarithm is not large.
            Some((_, exponent)) if same && exponent <= -2 && p.letters.is_empty() && p.exponent.is_zero() => {
                let (id, _) = ratio.letters.iter().next()?;
                let even = exponent % 2 == 0;
                if !self.holds(Rule::OnePlusPower, even || self.bounds.of(*id).is_positive()) {
                    return None;
                }
                let log = self.log_abs(*id, 0);
                let power = f64::from(exponent) * log;
                let sigmoid = self.sigmoid_of_negative(power.id());
                result.letter(sigmoid, -1)?;
                Some((result, Rule::OnePlusPower))
            }
            Some((
                Node { op: Op::Binary(Binary::Pow) | Op::Unary(Unary::Sqrt), operands, .. },
                exponent @ (1 | -1),
            )) if !same => {
                if !self.holds(Rule::PowerAsExp, self.bounds.of(operands[0]).is_positive()) {
                    return None;
                }
                let log = self.tape.var(operands[0]).ln();
                let power = match operands.get(1) {
                    Some(b) if self.number(*b).is_some() => self.tape.var(*b) * log,
                    Some(_) => return None,
                    None => 0.5 * log,
                };
                let power = if exponent == 1 { power } else { -power };
                result.letter(power.exp_m1().id(), 1)?;
                result.c = -result.c;
                Some((result, Rule::PowerAsExp))
            }
            _ if probabilities => self.of_probabilities((p, q), &ratio, result),
            _ => None,
        }
    }

    /// The one below, where the ratio is sin² a/cos² a or cos² a/sin² a.
    fn square_beside_square(&self, ratio: &Product) -> Option<NodeId> {
        let power = |exponent: i32| ratio.letters.iter().find(|(_, e)| **e == exponent).map(|(id, _)| *id);
        let (above, below) = (power(2)?, power(-2)?);
        let (a, b) = (self.tape.node(above), self.tape.node(below));
        let pair = matches!(
            (&a.op, &b.op),
            (Op::Unary(Unary::Sin), Op::Unary(Unary::Cos)) | (Op::Unary(Unary::Cos), Op::Unary(Unary::Sin))
        );
        (ratio.letters.len() == 2 && pair && a.operands == b.operands).then_some(below)
    }

    /// Multiplies a product by the right side of a law, down to letters.
    fn multiply(
        &mut self,
        product: &mut Product,
        pattern: &Pattern,
        found: &Found,
        power: i32,
    ) -> Option<()> {
        match pattern {
            Pattern::Of(Head::Binary(Binary::Mul), [a, b]) => {
                self.multiply(product, a, found, power)?;
                self.multiply(product, b, found, power)
            }
            Pattern::Of(Head::Unary(Unary::Powi(k)), [a]) => self.multiply(product, a, found, k * power),
            Pattern::Number(value) if power == 1 => {
                product.c = exact_product(product.c, *value)?;
                Some(())
            }
            Pattern::Of(Head::Unary(Unary::Exp), [Pattern::Letter(a)]) => {
                let terms = self.terms(found.letter(*a), &|other| self.small(other), &|id| id, 64)?;
                product.exponent = product.exponent.plus(&terms, f64::from(power))?;
                Some(())
            }
            Pattern::Of(Head::Unary(Unary::Sigmoid), [Pattern::Minus([Pattern::Letter(a)])]) => {
                let sigmoid = self.sigmoid_of_negative(found.letter(*a));
                product.letter(sigmoid, power)
            }
            _ => {
                let letter = self.recorded(pattern, found, 0);
                product.letter(letter.id(), power)
            }
        }
    }

    /// p + p/expm1(a) as p·eᵃ/expm1(a), and p - p·eᵃ/expm1(a) as -p/expm1(a): the slope of z + ln(1 - e⁻ᶻ).
    fn beside_over_exp_m1(&mut self, ratio: &Product, same: bool, p: &Product) -> Option<Product> {
        let (id, exponent) = ratio.letters.iter().next()?;
        if ratio.letters.len() != 1 || *exponent != -1 || !self.is(*id, Unary::ExpM1) {
            return None;
        }
        let argument = self.tape.node(*id).operands[0];
        let a = self.terms(argument, &|other| self.small(other), &|id| id, 64)?;
        let mut result = p.clone();
        if same && ratio.exponent.is_zero() {
            result.exponent = result.exponent.plus(&a, 1.0)?;
        } else if !same && ratio.exponent.plus(&a, -1.0)?.is_zero() {
            result.c = -result.c;
        } else {
            return None;
        }
        result.letter(*id, -1)?;
        Some(result)
    }

    /// p + q as p·(1 ± eᵃ); 1 is the one whose exponent is 0, if there is one.
    fn beside_exponential(
        &mut self,
        (p, q): (&Product, &Product),
        exponent: &Terms,
        mut result: Product,
    ) -> Option<(Product, Rule)> {
        if q.exponent.is_zero() && !p.exponent.is_zero() {
            return None;
        }
        let a = self.emit_terms(exponent).id();
        if p.c.signum() == q.c.signum() {
            if !self.of_one_variable(p, q) {
                // The larger one first: a + softplus(b - a) loses b where a is far below it.
                let [a, b] = [p, q].map(|product| self.emit_terms(&product.exponent));
                let b = if p.c.abs() == q.c.abs() { b } else { return None };
                result.exponent = Terms::new(result.exponent.shape);
                result.exponent.add(a.max(b).id(), 1.0);
                result.letter((a - b).abs().sigmoid().id(), -1)?;
                return Some((result, Rule::OnePlusExp));
            }
            let sigmoid = self.sigmoid_of_negative(a);
            result.letter(sigmoid, -1)?;
            return Some((result, Rule::OnePlusExp));
        }
        result.c = -result.c;
        result.letter(self.tape.var(a).exp_m1().id(), 1)?;
        Some((result, Rule::OneMinusExp))
    }

    /// p + q where q/p is made of probabilities and exponentials: it is an exponential.
    fn of_probabilities(
        &mut self,
        (p, q): (&Product, &Product),
        ratio: &Product,
        mut result: Product,
    ) -> Option<(Product, Rule)> {
        let log = self.log_of_probabilities(ratio);
        if p.c.signum() == q.c.signum() {
            let logs = [p, q].map(|product| self.log_of_probabilities(product));
            if log.count() > 1 && logs.iter().all(|log| !log.is_zero()) && p.c.abs() == q.c.abs() {
                // The larger one first, as above.
                let [a, b] = logs.map(|log| self.emit_terms(&log));
                result.letters.retain(|id, _| self.tape.argument(*id, Unary::Sigmoid).is_none());
                result.exponent = Terms::new(result.exponent.shape);
                result.exponent.add(a.max(b).id(), 1.0);
                result.letter((a - b).abs().sigmoid().id(), -1)?;
                return Some((result, Rule::OnePlusExp));
            }
            let log = self.emit_terms(&log).id();
            let sigmoid = self.sigmoid_of_negative(log);
            result.letter(sigmoid, -1)?;
            return Some((result, Rule::OnePlusExp));
        }
        let list = log.list();
        let softplus = |id: NodeId| self.tape.argument(id, Unary::Softplus);
        match list.as_slice() {
            // 1 - e^(-softplus(b)) = 1 - σ(-b)
            [(id, -1.0)] if log.constants.is_empty() && softplus(*id).is_some() => {
                let b = self.plain(softplus(*id)?);
                result.letter(self.tape.var(b).sigmoid().id(), 1)?;
                Some((result, Rule::OneMinusSigmoid))
            }
            // 1 - e^softplus(b) = -eᵇ
            [(id, 1.0)] if log.constants.is_empty() && softplus(*id).is_some() => {
                let terms = self.terms(softplus(*id)?, &|other| self.small(other), &|id| id, 64)?;
                result.exponent = result.exponent.plus(&terms, 1.0)?;
                result.c = -result.c;
                Some((result, Rule::ExpSoftplus))
            }
            list if list.iter().all(|(id, _)| softplus(*id).is_none()) => {
                let a = self.emit_terms(&log);
                result.c = -result.c;
                result.letter(a.exp_m1().id(), 1)?;
                Some((result, Rule::OneMinusExp))
            }
            _ => None,
        }
    }

    /// What is left of u without t, and u, where a product is t/u and u a sum that has t as a term.
    fn part_of_sum(&mut self, ratio: &Product) -> Option<(NodeId, NodeId)> {
        if ratio.letters.len() != 2 || !ratio.exponent.is_zero() {
            return None;
        }
        let (t, _) = ratio.letters.iter().find(|(_, e)| **e == 1)?;
        let (u, _) = ratio.letters.iter().find(|(_, e)| **e == -1)?;
        let (t, u) = (*t, *u);
        if !self.is_a_sum(u) {
            return None;
        }
        let mut terms = self.terms(u, &|other| other == u || self.small(other), &|id| id, 16)?;
        if terms.parts.get(&t) != Some(&1.0) {
            return None;
        }
        terms.parts.shift_remove(&t);
        let one = terms.list().len() + terms.constants.len() == 1;
        one.then(|| (self.emit_terms(&terms).id(), u))
    }

    fn is_a_sum(&self, id: NodeId) -> bool {
        self.tape.with_node(id, |node| matches!(node.op, Op::Binary(Binary::Add | Binary::Sub)))
    }

    /// u and k, where a product is t²/u and u = t² + k.
    fn square_over_sum(&self, ratio: &Product) -> Option<(NodeId, f64)> {
        if ratio.letters.len() != 2 || !ratio.exponent.is_zero() {
            return None;
        }
        let (t, _) = ratio.letters.iter().find(|(_, e)| **e == 2)?;
        let (below, power) = ratio.letters.iter().find(|(_, e)| **e < 0)?;
        let u = match (self.tape.node(*below), power) {
            (Node { op: Op::Unary(Unary::Sqrt), operands, .. }, -2) => operands[0],
            (_, -1) => *below,
            _ => return None,
        };
        let (square, k) = self.square_and_number(u)?;
        (square == *t).then_some((u, k))
    }

    /// The logarithm of the exponential and of the probabilities in a product.
    fn log_of_probabilities(&mut self, product: &Product) -> Terms {
        let mut log = product.exponent.clone();
        for (id, exponent) in &product.letters {
            let node = self.tape.node(*id);
            if node.op == Op::Unary(Unary::Sigmoid) {
                let negative = self.negated(node.operands[0]).id();
                let plain = self.plain(negative);
                log.add(self.tape.var(plain).softplus().id(), -f64::from(*exponent));
            }
        }
        self.pair_softplus(log)
    }

    /// Whether the exponents of two products are multiples of one thing, or one of them is 0.
    fn of_one_variable(&self, p: &Product, q: &Product) -> bool {
        let [a, b] = [p, q].map(|product| &product.exponent);
        a.is_zero()
            || b.is_zero()
            || a.parts.len() == 1 && a.parts.keys().eq(b.parts.keys()) && a.loose.is_empty()
    }

    /// t + √(t² + k) = √k·e^asinh(t/√k), for a number k > 0.
    pub(super) fn beside_root(&mut self, sum: &[Product]) -> Option<Product> {
        let [first, second] = sum else { return None };
        if first.c != second.c {
            return None;
        }
        let root = |p: &Product, q: &Product| {
            let mut ratio = p.clone();
            let shared: Vec<(NodeId, i32)> = p
                .letters
                .iter()
                .filter(|(id, e)| q.letters.get(id) == Some(e))
                .map(|(id, e)| (*id, *e))
                .collect();
            shared.iter().for_each(|(id, _)| {
                ratio.letters.remove(id);
            });
            let (id, exponent) = ratio.letters.iter().next()?;
            let node = self.tape.node(*id);
            let alone = ratio.letters.len() == 1 && *exponent == 1 && node.op == Op::Unary(Unary::Sqrt);
            (alone && p.exponent.is_zero() && q.exponent.is_zero()).then(|| (node.operands[0], shared))
        };
        let (inside, shared, other) = match (root(first, second), root(second, first)) {
            (Some((inside, shared)), _) => (inside, shared, second),
            (_, Some((inside, shared))) => (inside, shared, first),
            _ => return None,
        };
        let mut rest: Vec<(NodeId, i32)> = other.letters.iter().map(|(id, e)| (*id, *e)).collect();
        rest.retain(|(id, e)| !shared.contains(&(*id, *e)));
        let [(t, 1)] = rest[..] else { return None };
        let (square, k) = self.square_and_number(inside)?;
        if square != t {
            return None;
        }
        let shape = self.tape.shape(t);
        let mut product = Product::one(shape);
        product.c = first.c;
        shared.iter().try_for_each(|(id, e)| product.letter(*id, *e))?;
        let argument = match self.root_of(k, shape) {
            Some(root) => {
                product.letter(root, 1)?;
                self.tape.var(t) / self.tape.var(root)
            }
            None => self.tape.var(t),
        };
        product.exponent.add(argument.asinh().id(), 1.0);
        Some(product)
    }
}
