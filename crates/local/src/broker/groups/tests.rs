use tokio::sync::oneshot::{Receiver, error::TryRecvError};

use super::{group::Group, *};

const SESSION: Duration = Duration::from_secs(10);
const REBALANCE: Duration = Duration::from_secs(60);

type Joining = Receiver<Result<Joined, NotJoined>>;
type Syncing = Receiver<Result<Synced, ResponseError>>;

/// A group with a clock.
struct Fixture {
    group: Group,
    now: Instant,
}

impl Fixture {
    fn new() -> Self {
        Self { group: Group::new(), now: Instant::now() }
    }

    fn wish(member_id: &str, protocols: &[&str]) -> JoinRequest {
        JoinRequest {
            member_id: member_id.to_owned(),
            instance_id: None,
            client_id: "client".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            session_timeout: SESSION,
            rebalance_timeout: REBALANCE,
            protocol_type: "consumer".to_owned(),
            protocols: protocols.iter().map(|name| ((*name).to_owned(), Bytes::from((*name).to_owned()))).collect(),
            must_know_its_id: false,
        }
    }

    fn send(&mut self, wish: JoinRequest) -> Joining {
        let (reply, answer) = oneshot::channel();
        self.group.join(wish, self.now, reply);
        answer
    }

    fn join(&mut self, member_id: &str) -> Joining {
        self.send(Self::wish(member_id, &["range"]))
    }

    fn sync(&mut self, member_id: &str, generation: i32, assignments: &[(&str, &'static str)]) -> Syncing {
        let (reply, answer) = oneshot::channel();
        let assignments = assignments.iter().map(|(id, bytes)| ((*id).to_owned(), Bytes::from(*bytes)));
        let request = SyncRequest {
            member: key(member_id),
            generation,
            assignments: assignments.collect(),
            ..SyncRequest::default()
        };
        self.group.sync(request, self.now, reply);
        answer
    }

    fn heartbeat(&mut self, member_id: &str, generation: i32) -> Result<(), ResponseError> {
        self.group.heartbeat(&key(member_id), generation, self.now)
    }

    /// Lets time pass while `alive` send heartbeats.
    fn pass(&mut self, time: Duration, alive: &[&str], generation: i32) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_secs(1);
            for member in alive {
                let _ = self.heartbeat(member, generation);
            }
            self.group.tick(self.now);
        }
    }

    /// A stable group of two, the first of them the leader.
    fn pair() -> (Self, String, String) {
        let mut fixture = Self::new();
        let first = joined(&mut fixture.join("")).member_id;
        let mut second = fixture.join("");
        let mut again = fixture.join(&first);
        let second = joined(&mut second).member_id;
        assert_eq!(joined(&mut again).members.len(), 2);
        let assignments = [(first.as_str(), "one"), (second.as_str(), "two")];
        let mut waiting = fixture.sync(&second, 2, &[]);
        assert_eq!(waiting.try_recv(), Err(TryRecvError::Empty));
        assert_eq!(synced(&mut fixture.sync(&first, 2, &assignments)), "one");
        assert_eq!(synced(&mut waiting), "two");
        (fixture, first, second)
    }
}

fn key(member_id: &str) -> MemberKey {
    MemberKey { member_id: member_id.to_owned(), instance_id: None }
}

fn joined(answer: &mut Joining) -> Joined {
    answer.try_recv().unwrap().unwrap()
}

fn not_joined(answer: &mut Joining) -> ResponseError {
    answer.try_recv().unwrap().unwrap_err().error
}

fn synced(answer: &mut Syncing) -> Bytes {
    answer.try_recv().unwrap().unwrap().assignment
}

#[test]
fn a_second_member_makes_the_first_join_again() {
    let mut fixture = Fixture::new();
    let first = joined(&mut fixture.join(""));
    assert_eq!((first.generation, &first.leader), (1, &first.member_id));
    let mut second = fixture.join("");
    assert_eq!(second.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(fixture.heartbeat(&first.member_id, 1), Err(ResponseError::RebalanceInProgress));
    let again = joined(&mut fixture.join(&first.member_id));
    let second = joined(&mut second);
    assert_eq!((again.generation, second.generation), (2, 2));
    assert_eq!((again.members.len(), second.members.len()), (2, 0));
    assert_eq!(second.leader, first.member_id);
}

#[test]
fn assignments_go_from_the_leader_to_everyone() {
    let (mut fixture, first, second) = Fixture::pair();
    assert_eq!(fixture.group.phase(), Phase::Stable);
    assert_eq!(synced(&mut fixture.sync(&second, 2, &[])), "two");
    assert_eq!(fixture.heartbeat(&first, 2), Ok(()));
    assert_eq!(fixture.heartbeat(&first, 1), Err(ResponseError::IllegalGeneration));
    assert_eq!(fixture.heartbeat("stranger", 2), Err(ResponseError::UnknownMemberId));
}

#[test]
fn a_follower_that_asks_again_starts_no_round_and_the_leader_does() {
    let (mut fixture, first, second) = Fixture::pair();
    assert_eq!(joined(&mut fixture.join(&second)).generation, 2);
    assert_eq!(fixture.group.phase(), Phase::Stable);
    let mut leader = fixture.join(&first);
    assert_eq!(leader.try_recv(), Err(TryRecvError::Empty));
    assert_eq!(fixture.heartbeat(&second, 2), Err(ResponseError::RebalanceInProgress));
}

#[test]
fn a_silent_member_is_dropped_and_the_others_go_on() {
    let (mut fixture, first, second) = Fixture::pair();
    fixture.pass(SESSION * 2, &[&first], 2);
    assert_eq!(fixture.heartbeat(&second, 2), Err(ResponseError::UnknownMemberId));
    assert_eq!(joined(&mut fixture.join(&first)).members.len(), 1);
}

#[test]
fn a_member_that_does_not_join_again_in_time_is_left_behind() {
    let (mut fixture, first, second) = Fixture::pair();
    let mut third = fixture.join("");
    let mut again = fixture.join(&first);
    fixture.pass(REBALANCE - Duration::from_secs(2), &[&second], 2);
    assert_eq!(third.try_recv(), Err(TryRecvError::Empty));
    fixture.pass(Duration::from_secs(4), &[&second], 2);
    assert_eq!((joined(&mut third).generation, joined(&mut again).members.len()), (3, 2));
    assert_eq!(fixture.heartbeat(&second, 2), Err(ResponseError::UnknownMemberId));
}

#[test]
fn a_leader_that_sends_no_assignment_is_replaced() {
    let mut fixture = Fixture::new();
    let first = joined(&mut fixture.join("")).member_id;
    let mut second = fixture.join("");
    let _ = joined(&mut fixture.join(&first));
    let second = joined(&mut second).member_id;
    let mut waiting = fixture.sync(&second, 2, &[]);
    fixture.pass(REBALANCE + Duration::from_secs(2), &[&first], 2);
    assert_eq!(waiting.try_recv().unwrap(), Err(ResponseError::RebalanceInProgress));
    assert_eq!(joined(&mut fixture.join(&second)).leader, second);
}

#[test]
fn a_new_client_is_told_its_id_first_and_forgotten_if_it_does_not_come_back() {
    let mut fixture = Fixture::new();
    let wish = JoinRequest { must_know_its_id: true, ..Fixture::wish("", &["range"]) };
    let told = fixture.send(wish.clone()).try_recv().unwrap().unwrap_err();
    assert_eq!(told.error, ResponseError::MemberIdRequired);
    assert_eq!(
        joined(&mut fixture.send(JoinRequest { member_id: told.member_id.clone(), ..wish.clone() })).generation,
        1
    );
    let second = fixture.send(wish.clone()).try_recv().unwrap().unwrap_err();
    fixture.pass(SESSION + Duration::from_secs(1), &[&told.member_id], 1);
    let late = JoinRequest { member_id: second.member_id, ..wish };
    assert_eq!(not_joined(&mut fixture.send(late)), ResponseError::UnknownMemberId);
}

#[test]
fn the_protocol_that_all_speak_is_taken() {
    let mut fixture = Fixture::new();
    let first = joined(&mut fixture.send(Fixture::wish("", &["sticky", "range"]))).member_id;
    let mut second = fixture.send(Fixture::wish("", &["range"]));
    assert_eq!(joined(&mut fixture.send(Fixture::wish(&first, &["sticky", "range"]))).protocol, "range");
    assert_eq!(joined(&mut second).protocol, "range");
    let mut stranger = fixture.send(Fixture::wish("", &["other"]));
    assert_eq!(not_joined(&mut stranger), ResponseError::InconsistentGroupProtocol);
}

#[test]
fn a_static_member_that_restarts_keeps_its_assignment_and_fences_its_past() {
    let (mut fixture, first, _) = Fixture::pair();
    let named = |member_id: &str| JoinRequest {
        instance_id: Some("instance".to_owned()),
        ..Fixture::wish(member_id, &["range"])
    };
    let mut third = fixture.send(named(""));
    let mut again = fixture.join(&first);
    fixture.pass(SESSION, &[], 2);
    let (third, again) = (joined(&mut third), joined(&mut again));
    assert_eq!(again.members.len(), 2);
    drop(fixture.sync(&first, third.generation, &[(&third.member_id, "three")]));
    let restarted = joined(&mut fixture.send(named("")));
    assert_eq!((restarted.generation, fixture.group.phase()), (third.generation, Phase::Stable));
    assert_eq!(synced(&mut fixture.sync(&restarted.member_id, third.generation, &[])), "three");
    assert_eq!(not_joined(&mut fixture.send(named(&third.member_id))), ResponseError::FencedInstanceId);
}

#[test]
fn commits_are_taken_from_members_and_from_outside_only_while_it_is_empty() {
    let (mut fixture, first, second) = Fixture::pair();
    let now = fixture.now;
    assert_eq!(fixture.group.check_commit(&key(&first), 2, now), Ok(()));
    assert_eq!(fixture.group.check_commit(&key(&first), 1, now), Err(ResponseError::IllegalGeneration));
    assert_eq!(fixture.group.check_commit(&key(""), -1, now), Err(ResponseError::UnknownMemberId));
    for member in [first, second] {
        fixture.group.leave(&key(&member), now).unwrap();
    }
    assert_eq!(fixture.group.phase(), Phase::Empty);
    assert_eq!(fixture.group.check_commit(&key(""), -1, now), Ok(()));
}
