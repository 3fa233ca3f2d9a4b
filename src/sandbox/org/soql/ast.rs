//! A query as written, before its names mean anything. Positions are bytes of the text, for error messages.

/// A dotted name and where it starts.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) struct Path {
    pub(in crate::sandbox::org) parts: Vec<String>,
    pub(in crate::sandbox::org) at: usize,
}

impl Path {
    pub(in crate::sandbox::org) fn text(&self) -> String {
        self.parts.join(".")
    }
}

/// A call such as `COUNT(Id)` or `CALENDAR_YEAR(CreatedDate)`.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) struct Call {
    pub(in crate::sandbox::org) name: String,
    pub(in crate::sandbox::org) arguments: Vec<Expression>,
    pub(in crate::sandbox::org) at: usize,
}

/// A field or a call on one.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) enum Expression {
    Field(Path),
    Call(Call),
}

/// Which fields `FIELDS(…)` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox::org) enum FieldSet {
    All,
    Standard,
    Custom,
}

/// One thing of the select list.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) enum Item {
    Field {
        path: Path,
        alias: Option<String>,
    },
    Call {
        call: Call,
        alias: Option<String>,
    },
    Fields {
        set: FieldSet,
        at: usize,
    },
    Children(Box<Query>),
    /// The fields of every branch; rows answer with those of their own type.
    TypeOf {
        path: Path,
        branches: Vec<(String, Vec<Path>)>,
        otherwise: Vec<Path>,
    },
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) enum Literal {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    Date(i32),
    Moment(i64),
    /// `LAST_N_DAYS:3`, with the number if there is one.
    Relative(String, Option<i64>),
}

/// Comparison of one field with one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox::org) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Like,
}

/// Membership of one field in several values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sandbox::org) enum Membership {
    In,
    NotIn,
    Includes,
    Excludes,
}

/// A literal and where it stands.
pub(in crate::sandbox::org) type Placed = (Literal, usize);

/// A condition.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) enum Condition {
    And(Vec<Condition>),
    Or(Vec<Condition>),
    Not(Box<Condition>),
    Compare { left: Expression, comparator: Comparator, right: Placed },
    Member { left: Expression, membership: Membership, values: Vec<Placed> },
    SubSelect { left: Expression, membership: Membership, query: Box<Query> },
}

/// One key of `ORDER BY`.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) struct Order {
    pub(in crate::sandbox::org) by: Expression,
    pub(in crate::sandbox::org) descending: bool,
    pub(in crate::sandbox::org) nulls_last: bool,
}

/// A query.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::org) struct Query {
    pub(in crate::sandbox::org) items: Vec<Item>,
    /// The object, or for a query in the select list the child relationship.
    pub(in crate::sandbox::org) from: Path,
    pub(in crate::sandbox::org) alias: Option<String>,
    pub(in crate::sandbox::org) condition: Option<Condition>,
    pub(in crate::sandbox::org) group_by: Vec<Expression>,
    pub(in crate::sandbox::org) having: Option<Condition>,
    pub(in crate::sandbox::org) order_by: Vec<Order>,
    pub(in crate::sandbox::org) limit: Option<usize>,
    pub(in crate::sandbox::org) offset: usize,
    pub(in crate::sandbox::org) all_rows: bool,
}

impl Query {
    /// Whether the answer has groups or totals instead of rows.
    pub(in crate::sandbox::org) fn is_aggregate(&self) -> bool {
        !self.group_by.is_empty()
            || self
                .items
                .iter()
                .any(|item| matches!(item, Item::Call { call, .. } if is_aggregate_name(&call.name)))
    }

    /// `SELECT COUNT() FROM …`, which answers with a number alone.
    pub(in crate::sandbox::org) fn is_bare_count(&self) -> bool {
        matches!(self.items.as_slice(), [Item::Call { call, .. }] if call.name.eq_ignore_ascii_case("count") && call.arguments.is_empty())
    }
}

/// Whether a function makes one value of many rows.
pub(in crate::sandbox::org) fn is_aggregate_name(name: &str) -> bool {
    ["count", "count_distinct", "min", "max", "sum", "avg"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}
