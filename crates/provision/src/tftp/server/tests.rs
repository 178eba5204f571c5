use std::format;

use super::*;

const PHONE: &str = "10.1.2.3:49152";

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A server that has one file of so many bytes, called `file`, and what it said, in short.
struct Bench {
    server: Server,
    file: Arc<[u8]>,
    id: Option<TransferId>,
}

impl Bench {
    fn new(length: usize) -> Self {
        let file: Vec<u8> = (0..length).map(|at| b'a' + (at % 26) as u8).collect();
        Self { server: Server::new(Limits::default()), file: file.into(), id: None }
    }

    /// A request from `from`; the file is found at once.
    fn request(&mut self, millis: u64, from: &str, datagram: &[u8]) -> Vec<String> {
        self.handle(millis, |_| Input::Request { from: address(from), datagram })
    }

    /// A datagram from the phone to the transfer's socket.
    fn datagram(&mut self, millis: u64, datagram: &[u8]) -> Vec<String> {
        self.datagram_from(millis, PHONE, datagram)
    }

    fn datagram_from(&mut self, millis: u64, from: &str, datagram: &[u8]) -> Vec<String> {
        self.handle(millis, |id| Input::Datagram { transfer: id.unwrap(), from: address(from), datagram })
    }

    fn timeout(&mut self, millis: u64) -> Vec<String> {
        self.handle(millis, |_| Input::Timeout)
    }

    fn handle<'a>(
        &mut self,
        millis: u64,
        input: impl FnOnce(Option<TransferId>) -> Input<'a>,
    ) -> Vec<String> {
        self.server.handle(ms(millis), input(self.id));
        let mut said = Vec::new();
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::Open { transfer, name, .. } => {
                    self.id = Some(transfer);
                    let found = name.as_str() == "file";
                    let answer = if found { Answer::Found(self.file.clone()) } else { Answer::NotFound };
                    if name.as_str() != "slow" {
                        self.server.handle(ms(millis), Input::File { transfer, answer });
                    }
                }
                Output::Send { to, datagram, .. } => said.push(format!("{}{}", who(to), show(&datagram))),
                Output::Reply { to, datagram } => {
                    said.push(format!("from 69: {}{}", who(to), show(&datagram)))
                }
                Output::Closed { report, .. } => {
                    said.push(format!(
                        "closed {:?} {} bytes, {} repeated",
                        report.outcome, report.bytes, report.repeated
                    ));
                }
                Output::Refused { reason, .. } => said.push(format!("refused: {reason}")),
            }
        }
        said
    }

    fn next_timeout(&self) -> u64 {
        self.server.poll_timeout().map_or(0, |time| time.as_millis() as u64)
    }
}

fn who(to: SocketAddr) -> String {
    if to == address(PHONE) { String::new() } else { format!("to {to}: ") }
}

/// A data block as its number and length, all else as its bytes.
fn show(datagram: &[u8]) -> String {
    match Packet::parse(datagram).unwrap() {
        Packet::Data { block, data } => format!("data {block} of {}", data.len()),
        _ => datagram.escape_ascii().to_string(),
    }
}

const READ: &[u8] = b"\0\x01file\0octet\0";

#[test]
fn a_file_goes_out_block_by_block() {
    let mut bench = Bench::new(1100);
    assert_eq!(bench.request(0, PHONE, READ), ["data 1 of 512"]);
    assert_eq!(bench.datagram(10, b"\0\x04\0\x01"), ["data 2 of 512"]);
    assert_eq!(bench.datagram(20, b"\0\x04\0\x02"), ["data 3 of 76"]);
    assert_eq!(bench.datagram(30, b"\0\x04\0\x03"), ["closed Complete 1100 bytes, 0 repeated"]);
    assert_eq!((bench.server.transfers(), bench.server.poll_timeout()), (0, None));
    assert_eq!(bench.datagram(40, b"\0\x04\0\x03"), [""; 0], "a late packet finds nobody");
}

#[test]
fn a_file_of_whole_blocks_ends_with_an_empty_one() {
    for (length, last) in [(0, "data 1 of 0"), (512, "data 2 of 0")] {
        let mut bench = Bench::new(length);
        let mut said = bench.request(0, PHONE, READ);
        if length > 0 {
            said = bench.datagram(1, b"\0\x04\0\x01");
        }
        assert_eq!(said, [last]);
        let ack: &[u8] = if length > 0 { b"\0\x04\0\x02" } else { b"\0\x04\0\x01" };
        assert_eq!(bench.datagram(2, ack), [format!("closed Complete {length} bytes, 0 repeated")]);
    }
}

#[test]
fn silence_is_answered_by_repeating_ever_more_slowly() {
    let mut bench = Bench::new(600);
    assert_eq!(bench.request(0, PHONE, READ), ["data 1 of 512"]);
    for at in [1000, 3000, 7000, 15_000, 23_000] {
        assert_eq!(bench.next_timeout(), at);
        assert_eq!(bench.timeout(at - 1), [""; 0], "nothing before its time");
        assert_eq!(bench.timeout(at), ["data 1 of 512"]);
    }
    assert_eq!(bench.next_timeout(), 31_000);
    assert_eq!(bench.timeout(31_000), ["closed GaveUp 0 bytes, 5 repeated"]);
    assert_eq!(bench.server.poll_timeout(), None);

    // The wait starts anew with each block, and a client that leaves with the last block is no failure.
    let mut bench = Bench::new(600);
    bench.request(0, PHONE, READ);
    bench.timeout(1000);
    assert_eq!(bench.datagram(2000, b"\0\x04\0\x01"), ["data 2 of 88"]);
    assert_eq!(bench.next_timeout(), 3000);
    for at in [3000, 5000, 9000, 17_000, 25_000] {
        assert_eq!(bench.timeout(at), ["data 2 of 88"]);
    }
    assert_eq!(bench.timeout(33_000), ["closed LastUnconfirmed 512 bytes, 6 repeated"]);
}

#[test]
fn acknowledgements_seen_before_are_ignored() {
    let mut bench = Bench::new(2000);
    bench.request(0, PHONE, READ);
    assert_eq!(bench.datagram(1, b"\0\x04\0\x01"), ["data 2 of 512"]);
    assert_eq!(bench.datagram(2, b"\0\x04\0\x01"), [""; 0], "the sorcerer's apprentice");
    assert_eq!(bench.datagram(3, b"\0\x04\0\0"), [""; 0]);
    assert_eq!(bench.datagram(4, b"\0\x04\0\x09"), [""; 0], "nor one of the future");
    assert_eq!(bench.datagram(5, b"garbage"), [""; 0]);
    assert_eq!(bench.datagram(6, b"\0\x04\0\x02"), ["data 3 of 512"]);
    assert_eq!(bench.request(7, PHONE, READ), [""; 0], "the request came twice");
}

#[test]
fn options_are_acknowledged_first() {
    let mut bench = Bench::new(2000);
    let asked = b"\0\x01file\0octet\0tsize\x000\0blksize\x001428\0timeout\x003\0windowsize\x004\0";
    assert_eq!(
        bench.request(0, PHONE, asked),
        ["\\x00\\x06blksize\\x001428\\x00timeout\\x003\\x00tsize\\x002000\\x00"]
    );
    assert_eq!(bench.next_timeout(), 3000);
    assert_eq!(bench.timeout(3000).len(), 1, "the acknowledgement is repeated");
    assert_eq!(bench.next_timeout(), 6000, "at the pace that was asked for");
    assert_eq!(bench.datagram(3001, b"\0\x04\0\0"), ["data 1 of 1428"]);
    assert_eq!(bench.datagram(3002, b"\0\x04\0\x01"), ["data 2 of 572"]);
    assert_eq!(bench.datagram(3003, b"\0\x04\0\x02"), ["closed Complete 2000 bytes, 1 repeated"]);

    let mut bench = Bench::new(2000);
    bench.request(0, PHONE, asked);
    let refused = r#"closed Refused { code: Options, message: "no" } 0 bytes, 0 repeated"#;
    assert_eq!(bench.datagram(1, b"\0\x05\0\x08no\0"), [refused]);
}

#[test]
fn blocks_are_no_longer_than_the_server_likes() {
    let mut bench = Bench::new(3000);
    bench.server = Server::new(Limits { block_size: 1400, ..Limits::default() });
    assert_eq!(
        bench.request(0, PHONE, b"\0\x01file\0octet\0blksize\x0065464\0"),
        ["\\x00\\x06blksize\\x001400\\x00"]
    );
    assert_eq!(bench.datagram(1, b"\0\x04\0\0"), ["data 1 of 1400"]);
}

#[test]
fn a_file_of_more_than_65535_blocks_goes_through() {
    let mut bench = Bench::new(8 * 70_000 + 3);
    bench.request(0, PHONE, b"\0\x01file\0octet\0blksize\x008\0");
    let (mut acknowledged, mut said) = (0_u32, bench.datagram(0, b"\0\x04\0\0"));
    while !said[0].starts_with("closed") {
        acknowledged += 1;
        let number = (acknowledged & 0xFFFF) as u16;
        let length = if acknowledged == 70_001 { 3 } else { 8 };
        assert_eq!(said, [format!("data {number} of {length}")]);
        said = bench.datagram(0, &Packet::Ack { block: number }.to_bytes());
    }
    assert_eq!(said, ["closed Complete 560003 bytes, 0 repeated"]);
    assert_eq!(acknowledged, 70_001);
}

#[test]
fn netascii_travels_with_the_networks_line_ends() {
    let mut bench = Bench::new(0);
    bench.file = Arc::from(*b"a\nb\n");
    let said = bench.request(0, PHONE, b"\0\x01file\0NetASCII\0tsize\x000\0");
    assert_eq!(said, ["\\x00\\x06tsize\\x006\\x00"], "the size is that of what travels");
    assert_eq!(bench.datagram(1, b"\0\x04\0\0"), ["data 1 of 6"]);
}

#[test]
fn what_is_missing_is_refused_at_once_and_without_a_socket() {
    let mut bench = Bench::new(0);
    assert_eq!(
        bench.request(0, PHONE, b"\0\x01CTLFile.tlv\0octet\0"),
        ["from 69: \\x00\\x05\\x00\\x01File not found\\x00", "closed NotFound 0 bytes, 0 repeated"]
    );
    assert_eq!(bench.server.transfers(), 0);
}

#[test]
fn what_is_not_a_read_request_is_refused() {
    let table: [(&[u8], &[&str]); 9] = [
        (
            b"\0\x02file\0octet\0",
            &[
                "from 69: \\x00\\x05\\x00\\x02Access violation\\x00",
                "refused: a write request; this server is read only",
            ],
        ),
        (
            b"\0\x01../file\0octet\0",
            &["from 69: \\x00\\x05\\x00\\x02Access violation\\x00", "refused: a name that is not served"],
        ),
        (
            b"\0\x01a\\b\0octet\0",
            &["from 69: \\x00\\x05\\x00\\x02Access violation\\x00", "refused: a name that is not served"],
        ),
        (
            b"\0\x01file\0mail\0",
            &["from 69: \\x00\\x05\\x00\\x04Illegal TFTP operation\\x00", "refused: not a tftp packet"],
        ),
        (
            b"\0\x01file",
            &["from 69: \\x00\\x05\\x00\\x04Illegal TFTP operation\\x00", "refused: not a tftp packet"],
        ),
        (b"", &["from 69: \\x00\\x05\\x00\\x04Illegal TFTP operation\\x00", "refused: not a tftp packet"]),
        (
            b"\0\x04\0\x01",
            &[
                "from 69: \\x00\\x05\\x00\\x05Unknown transfer ID\\x00",
                "refused: a packet of a transfer, sent to the tftp port",
            ],
        ),
        (
            b"\0\x03\0\x01abc",
            &[
                "from 69: \\x00\\x05\\x00\\x05Unknown transfer ID\\x00",
                "refused: a packet of a transfer, sent to the tftp port",
            ],
        ),
        (b"\0\x05\0\x01x\0", &["refused: a packet of a transfer, sent to the tftp port"]),
    ];
    for (datagram, expected) in table {
        assert_eq!(Bench::new(10).request(0, PHONE, datagram), expected, "{}", datagram.escape_ascii());
    }
}

#[test]
fn a_stranger_does_not_disturb_a_transfer() {
    let mut bench = Bench::new(600);
    bench.request(0, PHONE, READ);
    let unknown = "to 10.9.9.9:1: \\x00\\x05\\x00\\x05Unknown transfer ID\\x00";
    assert_eq!(bench.datagram_from(1, "10.9.9.9:1", b"\0\x04\0\x01"), [unknown]);
    assert_eq!(
        bench.datagram_from(2, "10.9.9.9:1", b"\0\x05\0\0bye\0"),
        [""; 0],
        "an error is never answered"
    );
    assert_eq!(bench.datagram(3, b"\0\x04\0\x01"), ["data 2 of 88"]);
}

#[test]
fn the_client_can_end_it_and_can_ask_for_another_file() {
    let mut bench = Bench::new(600);
    bench.request(0, PHONE, READ);
    let ended = r#"closed Refused { code: DiskFull, message: "full" } 0 bytes, 0 repeated"#;
    assert_eq!(bench.datagram(1, b"\0\x05\0\x03full\0"), [ended]);

    bench.request(2, PHONE, b"\0\x01slow\0octet\0");
    assert_eq!(bench.request(3, PHONE, READ), ["closed Replaced 0 bytes, 0 repeated", "data 1 of 512"]);
}

#[test]
fn a_file_that_does_not_come_in_time_is_given_up() {
    let mut bench = Bench::new(600);
    assert_eq!(bench.request(0, PHONE, b"\0\x01slow\0octet\0"), [""; 0]);
    assert_eq!(bench.next_timeout(), 5000);
    assert_eq!(bench.timeout(5000), ["closed Unanswered 0 bytes, 0 repeated"]);
    let late = Input::File { transfer: bench.id.unwrap(), answer: Answer::NotFound };
    assert_eq!(bench.handle(5001, |_| late), [""; 0]);
}

#[test]
fn transfers_are_bounded_in_all_and_per_address() {
    let mut bench = Bench::new(600);
    bench.server = Server::new(Limits { transfers: 5, per_address: 3, ..Limits::default() });
    let mut from = |address: &str| bench.request(0, address, READ).concat();
    for port in 1..=3 {
        assert!(from(&format!("10.0.0.1:{port}")).contains("data 1"));
    }
    assert_eq!(from("10.0.0.1:4"), "refused: too many transfers with this address");
    assert!(from("10.0.0.2:1").contains("data 1"));
    assert!(from("10.0.0.3:1").contains("data 1"));
    assert_eq!(from("10.0.0.4:1"), "refused: too many transfers");
    assert_eq!(bench.server.transfers(), 5);
    // Whoever falls silent makes room.
    for at in [1, 3, 7, 15, 23, 31] {
        bench.timeout(at * 1000);
    }
    assert_eq!((bench.server.transfers(), bench.server.poll_timeout()), (0, None));
}
