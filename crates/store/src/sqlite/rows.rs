//! Many rows by one statement: the way to the thread that has the database, and back, costs more than a row does.

use sqlx::{QueryBuilder, Sqlite, SqliteConnection, query_builder::Separated};

/// One row, to which its values are bound.
pub(super) type Row<'a> = Separated<'a, Sqlite, &'static str>;

/// Rows of one statement, each half as many as before: any number of rows takes few statements, and all of them stay prepared
/// (sqlx keeps 100). The longest has fewer values than SQLite allows (32,766).
const LENGTHS: [usize; 9] = [256, 128, 64, 32, 16, 8, 4, 2, 1];

/// Does a statement with a list of rows for these. The list stands between its two parts, such as `INSERT INTO calls` and nothing;
/// `bind` binds the values of a row.
pub(super) async fn rows<'a, T: 'a>(
    connection: &mut SqliteConnection,
    [before, after]: [&'static str; 2],
    rows: impl IntoIterator<Item = &'a T>,
    bind: impl Fn(&mut Row<'_>, &T),
) -> Result<(), sqlx::Error> {
    let rows: Vec<&T> = rows.into_iter().collect();
    let mut rest = rows.as_slice();
    while let Some(&length) = LENGTHS.iter().find(|&&length| length <= rest.len()) {
        let (these, others) = rest.split_at(length);
        rest = others;
        let mut builder = QueryBuilder::new(before);
        builder.push_values(these, |mut row, value| bind(&mut row, value));
        builder.push(after);
        builder.build().execute(&mut *connection).await?;
    }
    Ok(())
}
