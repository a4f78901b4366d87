//! Minimum vertex cuts of directed graphs.
//!
//! By Menger's theorem the smallest set of vertices that meets every path from a source to a sink is as large as the
//! largest set of paths that have no vertex in common. The paths are a flow in the graph in which each vertex is an arc
//! of capacity 1; it is found by blocking flows (Dinitz, "Algorithm for solution of a problem of maximum flow in networks
//! with power estimation", 1970), which for such graphs take O(√n) phases of O(arcs) (Even and Tarjan, 1975).

/// A graph whose vertices are numbered from 0.
pub(super) struct Network {
    /// Whether a vertex may be in the cut.
    cuttable: Vec<bool>,
    /// The first arc of each node; a vertex v is the nodes 2v, where it is entered, and 2v + 1, where it is left.
    first: Vec<u32>,
    next: Vec<u32>,
    to: Vec<u32>,
    capacity: Vec<u32>,
}

const END: u32 = u32::MAX;
const UNLIMITED: u32 = u32::MAX / 2;

impl Network {
    /// Builds a graph without arcs; only vertices of `cuttable` may be in a cut.
    pub fn new(cuttable: Vec<bool>) -> Network {
        let nodes = 2 * cuttable.len() + 2;
        let (first, next, to, capacity) = (vec![END; nodes], Vec::new(), Vec::new(), Vec::new());
        let mut network = Network { cuttable, first, next, to, capacity };
        for vertex in 0..network.cuttable.len() {
            let capacity = if network.cuttable[vertex] { 1 } else { UNLIMITED };
            network.arc(2 * vertex, 2 * vertex + 1, capacity);
        }
        network
    }

    fn source(&self) -> usize {
        2 * self.cuttable.len()
    }

    fn sink(&self) -> usize {
        self.source() + 1
    }

    pub fn join(&mut self, from: usize, to: usize) {
        self.arc(2 * from + 1, 2 * to, UNLIMITED);
    }

    /// Lets paths begin at a vertex.
    pub fn begin(&mut self, vertex: usize) {
        self.arc(self.source(), 2 * vertex, UNLIMITED);
    }

    /// Lets paths end at a vertex.
    pub fn end(&mut self, vertex: usize) {
        self.arc(2 * vertex + 1, self.sink(), UNLIMITED);
    }

    /// Arc 2k has the residual arc 2k + 1.
    fn arc(&mut self, from: usize, to: usize, capacity: u32) {
        for (from, to, capacity) in [(from, to, capacity), (to, from, 0)] {
            self.next.push(self.first[from]);
            self.first[from] = self.to.len() as u32;
            self.to.push(to as u32);
            self.capacity.push(capacity);
        }
    }

    /// Returns a smallest cut of at most `most` vertices, as near to the sinks as there is one; `None` if there is no such
    /// cut.
    pub fn minimum_cut(mut self, most: usize) -> Option<Vec<usize>> {
        let mut flow = 0;
        while let Some(levels) = self.levels() {
            let mut current = self.first.clone();
            while self.augment(&levels, &mut current) {
                flow += 1;
                if flow > most {
                    return None;
                }
            }
        }
        let reaching = self.reaching();
        let cut = |vertex: &usize| !reaching[2 * vertex] && reaching[2 * vertex + 1];
        Some((0..self.cuttable.len()).filter(cut).collect())
    }

    /// Distances from the source along arcs with capacity left; `None` where the sink is not reached.
    fn levels(&self) -> Option<Vec<u32>> {
        let mut levels = vec![END; self.first.len()];
        levels[self.source()] = 0;
        let mut waiting = std::collections::VecDeque::from([self.source()]);
        while let Some(node) = waiting.pop_front() {
            if node == self.sink() {
                return Some(levels);
            }
            let mut arc = self.first[node];
            while arc != END {
                let to = self.to[arc as usize] as usize;
                if self.capacity[arc as usize] > 0 && levels[to] == END {
                    levels[to] = levels[node] + 1;
                    waiting.push_back(to);
                }
                arc = self.next[arc as usize];
            }
        }
        None
    }

    /// Sends one unit along a path of increasing levels, if there is one; `current` skips arcs that lead nowhere.
    fn augment(&mut self, levels: &[u32], current: &mut [u32]) -> bool {
        let mut path: Vec<u32> = Vec::new();
        let mut node = self.source();
        while node != self.sink() {
            let arc = current[node];
            if arc == END {
                let Some(back) = path.pop() else { return false };
                node = self.to[(back ^ 1) as usize] as usize;
                current[node] = self.next[current[node] as usize];
                continue;
            }
            let to = self.to[arc as usize] as usize;
            if self.capacity[arc as usize] > 0 && levels[to] == levels[node] + 1 {
                path.push(arc);
                node = to;
            } else {
                current[node] = self.next[arc as usize];
            }
        }
        for arc in path {
            self.capacity[arc as usize] -= 1;
            self.capacity[(arc ^ 1) as usize] += 1;
        }
        true
    }

    /// The nodes from which the sink is reached along arcs with capacity left.
    fn reaching(&self) -> Vec<bool> {
        let mut reaching = vec![false; self.first.len()];
        reaching[self.sink()] = true;
        let mut waiting = vec![self.sink()];
        while let Some(node) = waiting.pop() {
            let mut arc = self.first[node];
            while arc != END {
                let from = self.to[arc as usize] as usize;
                if self.capacity[(arc ^ 1) as usize] > 0 && !reaching[from] {
                    reaching[from] = true;
                    waiting.push(from);
                }
                arc = self.next[arc as usize];
            }
        }
        reaching
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    #[test]
    fn a_cut_is_smallest_and_near_the_sinks() {
        // 0, 1 → 2 → 3 → 4, 5
        let mut network = Network::new(vec![true; 6]);
        for (from, to) in [(0, 2), (1, 2), (2, 3), (3, 4), (3, 5)] {
            network.join(from, to);
        }
        [0, 1].into_iter().for_each(|vertex| network.begin(vertex));
        [4, 5].into_iter().for_each(|vertex| network.end(vertex));
        assert_eq!(network.minimum_cut(1), Some(vec![3]));
    }

    #[test]
    fn a_vertex_that_may_not_be_cut_is_not() {
        let mut network = Network::new(vec![true, true, false, true, true]);
        for (from, to) in [(0, 2), (1, 2), (2, 3), (2, 4)] {
            network.join(from, to);
        }
        [0, 1].into_iter().for_each(|vertex| network.begin(vertex));
        [3, 4].into_iter().for_each(|vertex| network.end(vertex));
        assert_eq!(network.minimum_cut(2), Some(vec![3, 4]));
    }

    #[test]
    fn a_cut_that_is_too_large_is_given_up() {
        let mut network = Network::new(vec![true; 3]);
        (0..3).for_each(|vertex| {
            network.begin(vertex);
            network.end(vertex);
        });
        assert_eq!(network.minimum_cut(2), None);
    }
}
