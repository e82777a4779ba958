//! The state of access, kept in one file.

use super::entropy::{self, NoEntropy};
use super::password::{self, PasswordHash};
use super::permission::Role;
use super::secret::{Secret, TOKEN_PREFIX};
use super::state::{AccessError, Link, NewToken, Principal, SignIn, State, Token, UserView};
use super::throttle::Throttle;
use habitus_model::{EventTime, TenantId, Text};
use parking_lot::Mutex;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// Largest access file that is read, bytes: a thousand users and tokens take about one.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Longest delay that failures for one account cause: short, or an attacker could keep its owner out.
const ACCOUNT_DELAY_MS_MAX: i64 = 30_000;
/// Longest delay that failures from one address cause.
const ADDRESS_DELAY_MS_MAX: i64 = 15 * 60_000;

/// Users, tokens, links and sessions. Every change is on stable storage before it is true.
///
/// Its methods block for a disk write, and those on passwords for some 20 ms: call them where that is allowed.
#[derive(Debug)]
pub struct Access {
    state: Mutex<State>,
    /// Held by whoever makes a change, so that reading `state` never waits for the disk.
    changing: Mutex<()>,
    accounts: Mutex<Throttle<Text>>,
    addresses: Mutex<Throttle<IpAddr>>,
    /// Apart from `addresses`: a shipper with a wrong token must not keep people at the same address out.
    wrong_secrets: Mutex<Throttle<IpAddr>>,
    file: PathBuf,
}

/// Why the access file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read or written.
    #[error("the access file `{path}` cannot be used: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        #[source]
        cause: io::Error,
    },
    /// Others than its owner may read or write it.
    #[error("the access file `{0}` must be readable by its owner only: chmod 600")]
    TooOpen(PathBuf),
    /// It is not what this version writes. Its content is not shown.
    #[error("the access file `{0}` is damaged or of another version")]
    Damaged(PathBuf),
    /// No randomness to make the first link from.
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
}

impl Access {
    /// Opens the file, or makes it with the user `admin`. The link is there if no admin could sign in otherwise: print
    /// it, with the server's address before it.
    ///
    /// # Errors
    /// When the file cannot be read, written or understood, or others may read it.
    pub fn open(file: &Path, now: EventTime) -> Result<(Self, Option<Link>), OpenError> {
        let mut state = load(file)?;
        let wrap = |cause| OpenError::Io {
            path: file.to_owned(),
            cause,
        };
        if state.is_empty() {
            // The name is good and nobody has it.
            let _ = state.create_user("admin", Role::Admin, TenantId::default(), now);
        }
        let link = match state.stranded_admin(now) {
            Some(admin) => state.issue_link(&admin, entropy::secret()?, now).ok(),
            None => None,
        };
        save(file, &state).map_err(wrap)?;
        let access = Self {
            state: Mutex::new(state),
            changing: Mutex::new(()),
            accounts: Mutex::new(Throttle::new(ACCOUNT_DELAY_MS_MAX)),
            addresses: Mutex::new(Throttle::new(ADDRESS_DELAY_MS_MAX)),
            wrong_secrets: Mutex::new(Throttle::new(ADDRESS_DELAY_MS_MAX)),
            file: file.to_owned(),
        };
        Ok((access, link))
    }

    /// Adds a user without a password.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn create_user(
        &self,
        name: &str,
        role: Role,
        tenant: TenantId,
        now: EventTime,
    ) -> Result<UserView, AccessError> {
        self.change(|state| state.create_user(name, role, tenant, now))
    }

    /// Gives a user another role and ends its sessions.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn set_role(&self, name: &str, role: Role) -> Result<UserView, AccessError> {
        self.change(|state| state.set_role(name, role))
    }

    /// Sets a user's password and ends its sessions.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn set_password(&self, name: &str, password: &str) -> Result<(), AccessError> {
        let hash = PasswordHash::new(password, entropy::bytes()?).ok_or(AccessError::Invalid(
            "password",
            "is not 15 to 256 characters long",
        ))?;
        self.change(|state| state.set_password(name, hash))
    }

    /// Removes a user.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn remove_user(&self, name: &str) -> Result<(), AccessError> {
        self.change(|state| state.remove_user(name))
    }

    /// Every user, by name.
    #[must_use]
    pub fn users(&self) -> Vec<UserView> {
        self.state.lock().users()
    }

    /// Makes a one-time link for a user.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn issue_link(&self, user: &str, now: EventTime) -> Result<Link, AccessError> {
        let secret = entropy::secret()?;
        self.change(|state| state.issue_link(user, secret, now))
    }

    /// Makes a token and gives its secret, this once.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn create_token(
        &self,
        new: NewToken,
        creator: &str,
        now: EventTime,
    ) -> Result<(Token, String), AccessError> {
        let secret = entropy::secret()?;
        let token = self.change(|state| state.create_token(new, &secret, (creator, now)))?;
        Ok((token, format!("{TOKEN_PREFIX}{}", secret.reveal())))
    }

    /// Takes a token back.
    ///
    /// # Errors
    /// See [`AccessError`].
    pub fn revoke_token(&self, id: &str) -> Result<Token, AccessError> {
        self.change(|state| state.revoke_token(id))
    }

    /// Every token that is still good.
    #[must_use]
    pub fn tokens(&self, now: EventTime) -> Vec<Token> {
        self.state.lock().tokens(now)
    }

    /// Who presents this token. A wrong one counts against the address, and is answered with a delay to wait for when
    /// there are too many; a right one always passes, so that nobody behind the same address is kept out.
    pub(crate) fn token(
        &self,
        presented: &str,
        from: IpAddr,
        now: EventTime,
    ) -> Result<Principal, AccessError> {
        if let Some(principal) = self.state.lock().token(presented, now) {
            return Ok(principal);
        }
        Err(self.wrong_secret(from, now))
    }

    /// Who holds this session.
    pub(crate) fn session(&self, secret: &Secret, now: EventTime) -> Option<Principal> {
        self.state.lock().session(secret, now)
    }

    /// Signs in by a link. Wrong ones are delayed like wrong tokens.
    pub(crate) fn redeem(&self, link: &str, from: IpAddr, now: EventTime) -> Result<SignIn, AccessError> {
        let session = entropy::secret()?;
        let redeemed = Secret::presented(link)
            .ok_or(AccessError::Denied)
            .and_then(|link| self.change(|state| state.redeem(&link, session, now)));
        match redeemed {
            Err(AccessError::Denied) => Err(self.wrong_secret(from, now)),
            other => other,
        }
    }

    /// Signs in by a password. Takes as long for a name that does not exist.
    pub(crate) fn sign_in(
        &self,
        name: &str,
        password: &str,
        from: (IpAddr, EventTime),
    ) -> Result<SignIn, AccessError> {
        self.check_password(name, password, from)?;
        let session = entropy::secret()?;
        self.change(|state| state.begin_session(name, session, from.1))
    }

    /// Checks a password, with the delays that failures cause.
    pub(crate) fn check_password(
        &self,
        name: &str,
        password: &str,
        (address, now): (IpAddr, EventTime),
    ) -> Result<(), AccessError> {
        let key = Text::new(name.chars().take(64).collect::<String>().to_ascii_lowercase());
        self.charge(&key, address, now.as_millis())?;
        let hash = self.state.lock().password_of(name);
        let right = match hash {
            Some(hash) => hash.verify(password),
            None => password::pretend(password),
        };
        if !right {
            return Err(AccessError::Denied);
        }
        self.accounts.lock().succeed(&key);
        self.addresses.lock().succeed(&address);
        Ok(())
    }

    /// Ends a session.
    pub(crate) fn end_session(&self, secret: &Secret) -> Result<(), AccessError> {
        self.change(|state| {
            state.end_session(secret);
            Ok(())
        })
    }

    /// Counts the attempt as failed before it is tried, so that attempts side by side do not slip through; success
    /// forgives it.
    fn charge(&self, account: &Text, address: IpAddr, now_ms: i64) -> Result<(), AccessError> {
        let mut accounts = self.accounts.lock();
        let mut addresses = self.addresses.lock();
        let wait = accounts
            .wait_ms(account, now_ms)
            .max(addresses.wait_ms(&address, now_ms));
        if wait > 0 {
            return Err(refused(wait));
        }
        accounts.fail(account, now_ms);
        addresses.fail(&address, now_ms);
        Ok(())
    }

    /// Counts a wrong token or link; 256 bits cannot be guessed, but trying costs us work.
    fn wrong_secret(&self, from: IpAddr, now: EventTime) -> AccessError {
        let mut wrong = self.wrong_secrets.lock();
        let wait = wrong.wait_ms(&from, now.as_millis());
        wrong.fail(&from, now.as_millis());
        refused(wait)
    }

    /// Makes a change on a copy, stores it, and only then lets it be true. What is noted meanwhile of the use of sessions
    /// and tokens is lost, which shortens an idle time by the length of a write.
    fn change<T>(&self, make: impl FnOnce(&mut State) -> Result<T, AccessError>) -> Result<T, AccessError> {
        let _changing = self.changing.lock();
        let mut next = self.state.lock().clone();
        let made = make(&mut next)?;
        save(&self.file, &next).map_err(|_| AccessError::Storage)?;
        *self.state.lock() = next;
        Ok(made)
    }
}

fn refused(wait_ms: i64) -> AccessError {
    if wait_ms <= 0 {
        return AccessError::Denied;
    }
    AccessError::Throttled(u32::try_from(wait_ms.saturating_add(999) / 1_000).unwrap_or(u32::MAX))
}

fn load(path: &Path) -> Result<State, OpenError> {
    let wrap = |cause| OpenError::Io {
        path: path.to_owned(),
        cause,
    };
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::default()),
        Err(error) => return Err(wrap(error)),
    };
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(OpenError::TooOpen(path.to_owned()));
    }
    if meta.len() > FILE_BYTES_MAX {
        return Err(OpenError::Damaged(path.to_owned()));
    }
    let bytes = fs::read(path).map_err(wrap)?;
    serde_json::from_slice(&bytes).map_err(|_| OpenError::Damaged(path.to_owned()))
}

/// Writes a new file beside it and renames, so that there is always a whole one.
fn save(path: &Path, state: &State) -> io::Result<()> {
    let bytes = serde_json::to_vec_pretty(state)?;
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) if folder != Path::new("") => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
