//! Configurations that are given as commands on a tree of words: `set a b c`, `delete a b`, `deactivate a`.

use std::collections::HashMap;

use crate::audit::Place;

/// The tree; its root is node 0.
pub(super) struct Tree<'a> {
    nodes: Vec<Node<'a>>,
    index: HashMap<(u32, &'a str), u32>,
}

struct Node<'a> {
    word: &'a str,
    place: Place,
    children: Vec<u32>,
    gone: bool,
    inactive: bool,
}

/// A node of the tree that is there and active.
#[derive(Clone, Copy)]
pub(super) struct Branch<'t, 'a> {
    tree: &'t Tree<'a>,
    node: u32,
}

impl<'a> Tree<'a> {
    /// An empty tree.
    pub(super) fn new() -> Self {
        let root =
            Node { word: "", place: Place { file: 0, line: 0 }, children: Vec::new(), gone: false, inactive: false };
        Self { nodes: vec![root], index: HashMap::new() }
    }

    /// The root.
    pub(super) fn root(&self) -> Branch<'_, 'a> {
        Branch { tree: self, node: 0 }
    }

    /// Makes the path; a list in brackets at its end is one path for each member.
    pub(super) fn set(&mut self, place: Place, path: &[&'a str]) {
        let (path, members) = match path.iter().position(|word| *word == "[") {
            Some(start) => (&path[..start], path[start + 1..].strip_suffix(&["]"]).unwrap_or(&path[start + 1..])),
            None => (path, &[][..]),
        };
        let end = path.iter().fold(0, |node, word| self.child(place, node, word));
        for member in members {
            self.child(place, end, member);
        }
    }

    /// Takes away the path and everything below.
    pub(super) fn delete(&mut self, path: &[&'a str]) {
        if let Some(node) = self.find(path) {
            self.nodes[node as usize].gone = true;
        }
    }

    /// Makes the path inactive, or active again.
    pub(super) fn deactivate(&mut self, path: &[&'a str], inactive: bool) {
        if let Some(node) = self.find(path) {
            self.nodes[node as usize].inactive = inactive;
        }
    }

    fn find(&self, path: &[&'a str]) -> Option<u32> {
        path.iter().try_fold(0, |node, word| self.index.get(&(node, *word)).copied())
    }

    fn child(&mut self, place: Place, node: u32, word: &'a str) -> u32 {
        if let Some(&child) = self.index.get(&(node, word)).filter(|&&child| !self.nodes[child as usize].gone) {
            return child;
        }
        // What was deleted is made anew, behind its siblings.
        let child = u32::try_from(self.nodes.len()).expect("a file has fewer words than 2^32");
        self.nodes.push(Node { word, place, children: Vec::new(), gone: false, inactive: false });
        self.nodes[node as usize].children.push(child);
        self.index.insert((node, word), child);
        child
    }
}

impl<'t, 'a> Branch<'t, 'a> {
    /// Its word.
    pub(super) fn word(self) -> &'a str {
        self.tree.nodes[self.node as usize].word
    }

    /// Where it was made.
    pub(super) fn place(self) -> Place {
        self.tree.nodes[self.node as usize].place
    }

    /// Its active children, in order.
    pub(super) fn children(self) -> impl Iterator<Item = Self> + 't {
        let tree = self.tree;
        let live = move |&node: &u32| !(tree.nodes[node as usize].gone || tree.nodes[node as usize].inactive);
        self.tree.nodes[self.node as usize].children.iter().copied().filter(live).map(move |node| Self { tree, node })
    }

    /// The active branch at the end of a path.
    pub(super) fn at(self, path: &[&str]) -> Option<Self> {
        path.iter().try_fold(self, |branch, word| {
            let node = *self.tree.index.get(&(branch.node, *word))?;
            let found = &self.tree.nodes[node as usize];
            (!found.gone && !found.inactive).then_some(Self { tree: self.tree, node })
        })
    }

    /// The words of the children at the end of a path.
    pub(super) fn values(self, path: &[&str]) -> Vec<&'a str> {
        self.at(path).map_or_else(Vec::new, |branch| branch.children().map(Self::word).collect())
    }

    /// Whether there is anything at this path.
    pub(super) fn has(self, path: &[&str]) -> bool {
        self.at(path).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { file: 0, line: 1 };

    #[test]
    fn what_is_deleted_or_inactive_is_not_there() {
        let mut tree = Tree::new();
        tree.set(PLACE, &["a", "b", "[", "c", "d", "]"]);
        tree.set(PLACE, &["a", "x"]);
        assert_eq!(tree.root().values(&["a", "b"]), ["c", "d"]);
        tree.deactivate(&["a", "b", "c"], true);
        assert_eq!(tree.root().values(&["a", "b"]), ["d"]);
        tree.deactivate(&["a", "b", "c"], false);
        tree.delete(&["a", "b"]);
        assert!(!tree.root().has(&["a", "b"]));
        tree.set(PLACE, &["a", "b", "e"]);
        assert_eq!(tree.root().values(&["a", "b"]), ["e"]);
        assert_eq!(tree.root().values(&["a"]), ["x", "b"]);
    }
}
