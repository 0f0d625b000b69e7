//! REPLAY REJECTED ROWS.
//!
//! The load function does it piece by piece; here is asked until it is done, or until the statement has taken as long
//! as a function may. What was replayed by then stays, and the same statement goes on with the rest.

use penstock_sql::error::{SqlError, code};
use penstock_sql::replay::{ReplayAnswer, ReplayReply, ReplayRequest};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::ResultSet;
use penstock_sql::statement::ReplayRejected;

use crate::Admin;

/// Time after which the statement asks for no further piece: the function has a limit of its own.
const LIMIT_MS: i64 = 40_000;

/// Time for one piece.
const PIECE_MS: u64 = 20_000;

const TITLES: [&str; 5] = ["Replayed", "Loaded", "Rejected", "Unselected", "Finished"];

impl Admin {
    pub(crate) async fn replay_rejected(
        &self,
        statement: ReplayRejected,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, job) = self.live_job(&statement.job, session).await?;
        let Some(replays) = &self.replays else {
            return Err(SqlError::analysis("REPLAY REJECTED ROWS is not available here"));
        };
        let clock = self.catalog.clock();
        let began_ms = clock.now_ms();
        let mut request = ReplayRequest { filter: statement.filter, budget_ms: PIECE_MS, ..ReplayRequest::default() };
        let mut sum = ReplayReply::default();
        loop {
            let reply = match replays.replay(job.id, &request).await {
                ReplayAnswer::Done(reply) => reply,
                ReplayAnswer::Refused { message } => return Err(SqlError::analysis(&message)),
                ReplayAnswer::Unavailable { message } => {
                    return Err(SqlError::new(code::UNAVAILABLE, message)
                        .with_hint("say it again: what was replayed is not replayed twice"));
                }
            };
            sum.replayed += reply.replayed;
            sum.loaded += reply.loaded;
            sum.rejected += reply.rejected;
            sum.unselected += reply.unselected;
            sum.finished = reply.finished;
            (request.after, request.until, request.resume) = (reply.after, reply.until, reply.resume);
            if sum.finished || clock.now_ms().saturating_sub(began_ms) >= LIMIT_MS {
                return Ok(rows(&sum));
            }
        }
    }
}

fn rows(sum: &ReplayReply) -> SqlResponse {
    let counts = [sum.replayed, sum.loaded, sum.rejected, sum.unselected].map(|count| Some(count.to_string()));
    let finished = if sum.finished { "YES" } else { "NO" };
    let row = counts.into_iter().chain([Some(finished.to_owned())]).collect();
    SqlResponse::Rows(ResultSet::text(&TITLES, vec![row]))
}
