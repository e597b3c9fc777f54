//! A resolver in the lab: the addresses of the names that it is told, and that no other name exists.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;

use super::CONTROLS;

/// The names, each with its addresses.
pub type Names = BTreeMap<String, Vec<IpAddr>>;

/// Where it is asked: at the first of the hosts outside the ranges.
#[must_use]
pub fn resolver() -> SocketAddr {
    SocketAddr::new(CONTROLS[0], 53)
}

/// Answers for as long as it is polled.
pub(super) async fn serve(socket: UdpSocket, names: Names) {
    let mut question = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut question).await {
        if let Some(answer) = answer(&question[..length], &names) {
            // A lost answer is asked for again.
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

fn answer(question: &[u8], names: &Names) -> Option<Vec<u8>> {
    let mut message = Message::from_vec(question).ok()?.into_response();
    let query = message.queries.first()?.clone();
    let name = query.name().to_ascii();
    match names.get(name.trim_end_matches('.')) {
        Some(addresses) => {
            let wanted = |address: &&IpAddr| match query.query_type() {
                RecordType::A => address.is_ipv4(),
                RecordType::AAAA => address.is_ipv6(),
                _ => false,
            };
            let record = |address: &IpAddr| Record::from_rdata(query.name().clone(), 60, RData::from(*address));
            message.add_answers(addresses.iter().filter(wanted).map(record));
        }
        None => message.metadata.response_code = ResponseCode::NXDomain,
    }
    message.to_vec().ok()
}
