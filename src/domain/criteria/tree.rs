//! Criteria as a person edits them: rows of conditions and groups, each of which may be negated.
//!
//! A [`Node`] is the same condition as an [`Expression`], in a form in which no group is empty, has a single part, or repeats the
//! kind of the group around it. Every edit ends in that form, so that what is edited is always what the text says.

use super::{Criteria, Expression, Operator};

/// A condition or a group of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Whether it must not hold.
    pub negated: bool,
    /// What it is.
    pub kind: NodeKind,
}

/// What a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// All or one of several.
    Group(Junction, Vec<Node>),
    /// One comparison.
    Test(Expression),
}

/// How the parts of a group stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Junction {
    /// All of them hold.
    And,
    /// At least one of them holds.
    Or,
}

impl Junction {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::And => Self::Or,
            Self::Or => Self::And,
        }
    }
}

/// Where a node stands: the places of its ancestors and its own, from the root down. The root's is empty.
pub type Path = Vec<usize>;

/// One line of the editor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub path: Path,
    /// What it says; of a group without its parts.
    pub node: Node,
    /// How the group around it holds together, where it is not the first of that group.
    pub joined: Option<Junction>,
}

/// The lines of a condition, from top to bottom.
pub fn lines(criteria: &Criteria) -> Vec<Line> {
    let mut found = Vec::new();
    collect(&Node::of(criteria), &mut Vec::new(), None, &mut found);
    found
}

fn collect(node: &Node, path: &mut Path, joined: Option<Junction>, found: &mut Vec<Line>) {
    match &node.kind {
        NodeKind::Test(_) => found.push(Line { path: path.clone(), node: node.clone(), joined }),
        NodeKind::Group(junction, parts) => {
            let head = Node { negated: node.negated, kind: NodeKind::Group(*junction, Vec::new()) };
            found.push(Line { path: path.clone(), node: head, joined });
            for (place, part) in parts.iter().enumerate() {
                path.push(place);
                collect(part, path, (place > 0).then_some(*junction), found);
                path.pop();
            }
        }
    }
}

/// Adds a condition that must hold together with the one at `path` (and), or instead of it (or).
pub fn add(criteria: Option<&Criteria>, path: &[usize], junction: Junction, new: Node) -> Criteria {
    let Some(criteria) = criteria else { return new.into_criteria() };
    edited(criteria, |root| {
        // Beside its equals where the group around holds together that way; else in brackets with the selected one.
        if let Some((place, above)) = path.split_last()
            && let Some(Node { kind: NodeKind::Group(around, parts), .. }) = at(root, above)
            && *around == junction
        {
            parts.insert((*place + 1).min(parts.len()), new);
            return;
        }
        let Some(selected) = at(root, path) else { return };
        match &mut selected.kind {
            NodeKind::Group(inside, parts) if *inside == junction && !selected.negated => parts.push(new),
            NodeKind::Group(..) | NodeKind::Test(_) => {
                let old = std::mem::replace(selected, Node::group(junction, Vec::new()));
                *selected = Node::group(junction, vec![old, new]);
            }
        }
    })
}

/// Puts another condition in the place of the one at `path`.
pub fn replace(criteria: &Criteria, path: &[usize], new: Node) -> Criteria {
    edited(criteria, |root| {
        if let Some(selected) = at(root, path) {
            *selected = new;
        }
    })
}

/// Turns the condition or group at `path` into its opposite.
pub fn negate(criteria: &Criteria, path: &[usize]) -> Criteria {
    edited(criteria, |root| {
        let Some(selected) = at(root, path) else { return };
        // What has an opposite of its own needs no word before it.
        match &mut selected.kind {
            NodeKind::Test(Expression::Compare { operator: operator @ Operator::Equal, .. })
                if !selected.negated =>
            {
                *operator = Operator::NotEqual;
            }
            NodeKind::Test(Expression::Compare { operator: operator @ Operator::NotEqual, .. })
                if !selected.negated =>
            {
                *operator = Operator::Equal;
            }
            NodeKind::Test(Expression::OneOf { negated, .. }) if !selected.negated => *negated = !*negated,
            NodeKind::Test(_) | NodeKind::Group(..) => selected.negated = !selected.negated,
        }
    })
}

/// Turns `and` into `or`, or back: of the group at `path`, or of the group around the condition there.
pub fn switch(criteria: &Criteria, path: &[usize]) -> Criteria {
    edited(criteria, |root| {
        let is_group = matches!(at(root, path), Some(Node { kind: NodeKind::Group(..), .. }));
        let above = if is_group { path } else { path.split_last().map_or(path, |(_, above)| above) };
        if let Some(Node { kind: NodeKind::Group(junction, _), .. }) = at(root, above) {
            *junction = junction.other();
        }
    })
}

/// Takes the condition or group at `path` out; nothing is left of the last one.
pub fn remove(criteria: &Criteria, path: &[usize]) -> Option<Criteria> {
    let (place, above) = path.split_last()?;
    let mut root = Node::of(criteria);
    if let Some(Node { kind: NodeKind::Group(_, parts), .. }) = at(&mut root, above)
        && *place < parts.len()
    {
        parts.remove(*place);
    }
    root.settled().map(Node::into_criteria)
}

fn edited(criteria: &Criteria, edit: impl FnOnce(&mut Node)) -> Criteria {
    let mut root = Node::of(criteria);
    edit(&mut root);
    root.settled().map_or_else(|| criteria.clone(), Node::into_criteria)
}

fn at<'a>(root: &'a mut Node, path: &[usize]) -> Option<&'a mut Node> {
    let mut node = root;
    for place in path {
        match &mut node.kind {
            NodeKind::Group(_, parts) => node = parts.get_mut(*place)?,
            NodeKind::Test(_) => return None,
        }
    }
    Some(node)
}

impl Node {
    /// One comparison.
    pub fn test(test: &Expression) -> Self {
        Self::from_expression(test)
    }

    fn group(junction: Junction, parts: Vec<Self>) -> Self {
        Self { negated: false, kind: NodeKind::Group(junction, parts) }
    }

    /// A whole condition.
    pub fn of(criteria: &Criteria) -> Self {
        let node = Self::from_expression(&criteria.root);
        node.clone().settled().unwrap_or(node)
    }

    fn from_expression(expression: &Expression) -> Self {
        match expression {
            Expression::All(parts) => {
                Self::group(Junction::And, parts.iter().map(Self::from_expression).collect())
            }
            Expression::Any(parts) => {
                Self::group(Junction::Or, parts.iter().map(Self::from_expression).collect())
            }
            Expression::Not(inner) => {
                let node = Self::from_expression(inner);
                Self { negated: !node.negated, ..node }
            }
            test @ (Expression::Compare { .. } | Expression::OneOf { .. }) => {
                Self { negated: false, kind: NodeKind::Test(test.clone()) }
            }
        }
    }

    fn into_expression(self) -> Expression {
        let expression = match self.kind {
            NodeKind::Test(test) => test,
            NodeKind::Group(junction, parts) => {
                let parts = parts.into_iter().map(Self::into_expression).collect();
                match junction {
                    Junction::And => Expression::All(parts),
                    Junction::Or => Expression::Any(parts),
                }
            }
        };
        if self.negated { Expression::Not(Box::new(expression)) } else { expression }
    }

    /// The condition that it says.
    pub fn into_criteria(self) -> Criteria {
        Criteria { root: self.into_expression() }
    }

    /// Without empty groups, groups of one, and brackets that change nothing; `None` where nothing is left.
    fn settled(self) -> Option<Self> {
        let NodeKind::Group(junction, parts) = self.kind else { return Some(self) };
        let mut kept: Vec<Self> = Vec::with_capacity(parts.len());
        for part in parts.into_iter().filter_map(Self::settled) {
            match part {
                Self { negated: false, kind: NodeKind::Group(inside, parts) } if inside == junction => {
                    kept.extend(parts);
                }
                other => kept.push(other),
            }
        }
        if kept.len() > 1 {
            return Some(Self { negated: self.negated, kind: NodeKind::Group(junction, kept) });
        }
        let only = kept.pop()?;
        Some(Self { negated: only.negated != self.negated, ..only })
    }
}

#[cfg(test)]
mod tests;
