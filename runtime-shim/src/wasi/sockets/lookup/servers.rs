//! Asking name servers: one after the other, in several rounds, and for each name that the one
//! that was given can stand for.

use super::Addresses;
use super::config::{Config, Name};
use super::message::{Answer, MESSAGE_BYTES_MAX, RecordType, read_answer, write_question};
use super::text::FileText;
use crate::wasi::files::{self, FileId};
use crate::wasi::random::random_u64;
use crate::wasi::sockets::error_code::ErrorCode;
use core::mem::MaybeUninit;
use core::net::SocketAddr;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::net::{connect, recv, send, socket_with};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

const PORT: u16 = 53;

/// The state of asking.
pub struct Servers {
    config: Config,
    port: u16,
    name: Name,
    /// Which of the names is looked for.
    candidate: usize,
    /// How many servers have been asked for it and not answered.
    failures: usize,
    questions: [Question; 2],
    /// Connected to the server that is being asked.
    socket: Option<OpenFile>,
    /// Runs out when the server has had its time.
    timer: OpenFile,
    /// Has events when either of them has.
    events: OpenFile,
}

struct Question {
    ty: RecordType,
    bytes: [u8; MESSAGE_BYTES_MAX],
    len: usize,
    answer: Option<Answer>,
}

impl Question {
    const fn new(ty: RecordType) -> Question {
        Question { ty, bytes: [0; MESSAGE_BYTES_MAX], len: 0, answer: None }
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// A use of a file.
struct OpenFile(FileId);

impl OpenFile {
    fn new(fd: OwnedFd) -> OpenFile {
        OpenFile(files::add(fd))
    }

    fn fd(&self) -> Result<BorrowedFd<'static>, Errno> {
        files::fd(self.0)
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        files::release(self.0);
    }
}

impl Servers {
    /// Prepares to ask for a name.
    pub fn new(name: Name) -> Result<Servers, ErrorCode> {
        let text = FileText::read(c"/etc/resolv.conf");
        let config = Config::parse(text.as_ref().map_or(b"", FileText::as_bytes));
        Servers::with_config(name, config, PORT)
    }

    /// As `new`, with that configuration.
    fn with_config(name: Name, config: Config, port: u16) -> Result<Servers, ErrorCode> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = OpenFile::new(timerfd_create(TimerfdClockId::Monotonic, flags)?);
        let events = OpenFile::new(epoll::create(epoll::CreateFlags::CLOEXEC)?);
        epoll::add(events.fd()?, timer.fd()?, EventData::new_u64(0), EventFlags::IN)?;
        Ok(Servers {
            config,
            port,
            name,
            candidate: 0,
            failures: 0,
            questions: [Question::new(RecordType::A), Question::new(RecordType::Aaaa)],
            socket: None,
            timer,
            events,
        })
    }

    /// The file that can be read when there may be something to do.
    pub fn events(&self) -> FileId {
        self.events.0
    }

    /// Makes that file readable for ever.
    pub fn finish(&mut self) {
        self.socket = None;
        // If it fails, whoever waits for the stream has to do so with its other pollable.
        let _ = self.set_timer(Timespec { tv_sec: 0, tv_nsec: 1 });
    }

    fn set_timer(&self, it_value: Timespec) -> Result<(), Errno> {
        let once = Timespec { tv_sec: 0, tv_nsec: 0 };
        let time = Itimerspec { it_interval: once, it_value };
        timerfd_settime(self.timer.fd()?, TimerfdTimerFlags::empty(), &time).map(|_| ())
    }

    /// Goes on; `None` if there is something to wait for.
    pub fn advance(&mut self, found: &mut Addresses) -> Option<Result<(), ErrorCode>> {
        loop {
            let Some(name) = self.config.candidate(&self.name, self.candidate) else {
                return Some(Err(ErrorCode::NameUnresolvable));
            };
            if self.socket.is_none() && self.ask(&name).is_err() {
                if self.give_up_on_server() {
                    return Some(Err(ErrorCode::TemporaryResolverFailure));
                }
                continue;
            }
            let is_answered = match self.receive(found) {
                Ok(()) => self.questions.iter().all(|question| question.answer.is_some()),
                Err(_) => false,
            };
            let is_over = is_answered || self.socket.is_none() || self.is_late();
            if !is_over {
                return None;
            }
            if !found.is_empty() {
                return Some(Ok(()));
            }
            let is_known = |question: &Question| {
                matches!(question.answer, Some(Answer::Exists | Answer::NoSuchName))
            };
            if self.questions.iter().all(is_known) {
                self.candidate += 1;
                self.failures = 0;
                self.socket = None;
            } else if self.give_up_on_server() {
                return Some(Err(ErrorCode::TemporaryResolverFailure));
            }
        }
    }

    /// Turns to the next server. Returns whether all have been asked often enough.
    fn give_up_on_server(&mut self) -> bool {
        self.socket = None;
        self.failures += 1;
        self.failures >= self.config.servers().len() * self.config.rounds as usize
    }

    /// Sends both questions to the next server.
    fn ask(&mut self, name: &Name) -> Result<(), Errno> {
        let servers = self.config.servers();
        let server = servers.get(self.failures % servers.len().max(1)).ok_or(Errno::INVAL)?;
        let family = if server.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = OpenFile::new(socket_with(family, SocketType::DGRAM, flags, None)?);
        let fd = socket.fd()?;
        connect(fd, &SocketAddr::new(*server, self.port))?;
        epoll::add(self.events.fd()?, fd, EventData::new_u64(1), EventFlags::IN)?;
        let mut random = random_u64();
        for question in &mut self.questions {
            let bytes = &mut question.bytes;
            let written = write_question(bytes, random as u16, name.as_bytes(), question.ty);
            question.len = written.ok_or(Errno::NAMETOOLONG)?;
            question.answer = None;
            random >>= 16;
            retry_on_intr(|| send(fd, question.as_bytes(), SendFlags::NOSIGNAL))?;
        }
        self.set_timer(Timespec { tv_sec: self.config.timeout_s.into(), tv_nsec: 0 })?;
        self.socket = Some(socket);
        Ok(())
    }

    /// Takes the answers that have arrived. An error means that the server is not there; then the
    /// socket is gone.
    fn receive(&mut self, found: &mut Addresses) -> Result<(), Errno> {
        let Some(socket) = &self.socket else { return Ok(()) };
        let fd = socket.fd()?;
        let mut buffer = [MaybeUninit::uninit(); MESSAGE_BYTES_MAX];
        loop {
            let message =
                match retry_on_intr(|| Ok(recv(fd, &mut buffer, RecvFlags::empty())?.0.0.len())) {
                    // SAFETY: the kernel has initialised that many.
                    Ok(len) => unsafe { buffer.get(..len).unwrap_or_default().assume_init_ref() },
                    Err(Errno::AGAIN) => return Ok(()),
                    Err(errno) => {
                        self.socket = None;
                        return Err(errno);
                    }
                };
            for question in self.questions.iter_mut().filter(|it| it.answer.is_none()) {
                let asked = question.bytes.get(..question.len).unwrap_or_default();
                question.answer =
                    read_answer(message, asked, question.ty, |address| found.push(address));
            }
        }
    }

    /// Whether the server has had its time.
    fn is_late(&self) -> bool {
        let mut expirations = [0; 8];
        self.timer.fd().is_ok_and(|fd| rustix::io::read(fd, &mut expirations).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::single::take_turn;
    use rustix::event::PollFlags;
    use std::net::UdpSocket;

    /// A server that gives each question to `answer`, which makes the answer of it.
    fn serve(answer: impl Fn(&[u8], u16) -> Option<Vec<u8>> + Send + 'static) -> u16 {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let mut buffer = [0; 1024];
            while let Ok((len, from)) = socket.recv_from(&mut buffer) {
                let question = &buffer[..len];
                let ty = u16::from_be_bytes([question[len - 4], question[len - 3]]);
                if let Some(message) = answer(question, ty) {
                    socket.send_to(&message, from).unwrap();
                }
            }
        });
        port
    }

    fn header(question: &[u8], code: u8, count: u8) -> Vec<u8> {
        let mut message = question.to_vec();
        message[2] |= 0x80;
        message[3] = 0x80 | code;
        message[7] = count;
        message
    }

    fn with_address(question: &[u8], ty: u16, data: &[u8]) -> Vec<u8> {
        let mut message = header(question, 0, 1);
        message.extend([0xc0, 12, 0, ty as u8, 0, 1, 0, 0, 0, 1, 0, data.len() as u8]);
        message.extend(data);
        message
    }

    /// What comes of asking that server, waiting as a guest does.
    fn look_up(name: &str, text: &str, port: u16) -> (Result<(), ErrorCode>, Vec<String>) {
        let name = Name::new(name.as_bytes()).unwrap();
        let config = Config::parse(text.as_bytes());
        let mut servers = Servers::with_config(name, config, port).unwrap();
        let mut found = Addresses::new();
        let result = loop {
            match servers.advance(&mut found) {
                Some(result) => break result,
                None => files::wait(files::fd(servers.events()).unwrap(), PollFlags::IN),
            }
        };
        servers.finish();
        assert!(files::is_ready(files::fd(servers.events()).unwrap(), PollFlags::IN));
        (result, core::iter::from_fn(|| found.take()).map(|it| it.to_string()).collect())
    }

    const LOCAL: &str = "nameserver 127.0.0.1\noptions timeout:1 attempts:2\n";

    #[test]
    fn both_kinds_of_addresses_are_asked_for() {
        let _turn = take_turn();
        let port = serve(|question, ty| match ty {
            1 => Some(with_address(question, 1, &[10, 1, 2, 3])),
            _ => Some(with_address(question, 28, &[0x20; 16])),
        });
        let (result, mut found) = look_up("name.example", LOCAL, port);
        found.sort();
        assert_eq!(result, Ok(()));
        assert_eq!(found, ["10.1.2.3", "2020:2020:2020:2020:2020:2020:2020:2020"]);
    }

    #[test]
    fn suffixes_are_tried() {
        let _turn = take_turn();
        let port = serve(|question, ty| {
            let has_suffix = question.windows(8).any(|part| part == b"\x06suffix\0");
            Some(match ty {
                1 if has_suffix => with_address(question, 1, &[10, 0, 0, 9]),
                _ if has_suffix => header(question, 0, 0),
                _ => header(question, 3, 0),
            })
        });
        let text = format!("search other suffix\n{LOCAL}");
        assert_eq!(look_up("name", &text, port), (Ok(()), vec!["10.0.0.9".to_string()]));
        let nowhere = (Err(ErrorCode::NameUnresolvable), vec![]);
        assert_eq!(look_up("name.", &text, port), nowhere);
    }

    #[test]
    fn servers_that_fail_are_asked_again_and_then_given_up() {
        let _turn = take_turn();
        let temporary = (Err(ErrorCode::TemporaryResolverFailure), vec![]);
        let port = serve(|question, _| Some(header(question, 2, 0)));
        assert_eq!(look_up("name", LOCAL, port), temporary);
        let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert_eq!(look_up("name", LOCAL, nobody), temporary);
        let silent = serve(|_, _| None);
        assert_eq!(look_up("name", LOCAL, silent), temporary);
        // A server that answers one question only has given what it has.
        let half =
            serve(|question, ty| (ty == 1).then(|| with_address(question, 1, &[10, 0, 0, 7])));
        assert_eq!(look_up("name", LOCAL, half), (Ok(()), vec!["10.0.0.7".to_string()]));
    }

    #[test]
    fn forged_answers_are_ignored() {
        let _turn = take_turn();
        let port = serve(|question, ty| {
            let mut message = with_address(question, ty, &[10, 6, 6, 6]);
            message[0] ^= 0xff;
            Some(message)
        });
        let text = LOCAL.replace("attempts:2", "attempts:1");
        let temporary = (Err(ErrorCode::TemporaryResolverFailure), vec![]);
        assert_eq!(look_up("name", &text, port), temporary);
    }
}
