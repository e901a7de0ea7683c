//! What an operation does to the tree, if it may (`org.apache.zookeeper.server.PrepRequestProcessor`).

use super::database::{Change, Database, Transaction, parent_and_name};
use wire::Timestamp;
use wire::zookeeper::{
    CreateMode, Operation, OperationResult, SessionId, Stat, ZnodeData, ZnodePath, ZnodeVersion, ZooKeeperError, Zxid,
};

/// Who asks for a change, and when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Author {
    pub(super) session: SessionId,
    pub(super) at: Timestamp,
}

/// What came of a request: the results, and the transaction if it changes anything.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) results: Vec<OperationResult>,
    pub(super) transaction: Option<Transaction>,
}

/// Works on several operations, all or none. The database is left as it was; the transaction is to be applied to it.
///
/// # Errors
/// The place of the first operation that failed, and why.
pub(super) fn prepare(
    database: &Database,
    operations: &[Operation],
    author: Author,
) -> Result<Outcome, (u32, ZooKeeperError)> {
    if let [operation] = operations
        && let Some(result) = read(database, operation)
    {
        return result.map(|result| Outcome { results: vec![result], transaction: None }).map_err(|error| (0, error));
    }
    let zxid = Zxid(database.last_zxid().0 + 1);
    let mut preparation = Preparation { database: database.clone(), author, zxid, changes: Vec::new() };
    let results = operations
        .iter()
        .enumerate()
        .map(|(place, operation)| preparation.perform(operation).map_err(|error| (place as u32, error)));
    let results = results.collect::<Result<Vec<OperationResult>, _>>()?;
    let transaction = Transaction { zxid, at: author.at, changes: preparation.changes };
    Ok(Outcome { results, transaction: (!transaction.changes.is_empty()).then_some(transaction) })
}

fn read(database: &Database, operation: &Operation) -> Option<Result<OperationResult, ZooKeeperError>> {
    let (path, result): (_, fn(&super::database::Znode) -> OperationResult) = match operation {
        Operation::Exists { path, .. } => (path, |znode| OperationResult::Exists(znode.stat())),
        Operation::GetData { path, .. } => {
            (path, |znode| OperationResult::Data { data: znode.data.clone(), stat: znode.stat() })
        }
        Operation::GetChildren { path, .. } => (path, |znode| OperationResult::Children {
            names: znode.children.iter().cloned().collect(),
            stat: znode.stat(),
        }),
        Operation::Create { .. } | Operation::Delete { .. } | Operation::SetData { .. } | Operation::Check { .. } => {
            return None;
        }
    };
    Some(database.znode(path).map(result).ok_or(ZooKeeperError::NoNode))
}

struct Preparation {
    database: Database,
    author: Author,
    zxid: Zxid,
    changes: Vec<Change>,
}

impl Preparation {
    fn perform(&mut self, operation: &Operation) -> Result<OperationResult, ZooKeeperError> {
        match operation {
            Operation::Create { path, data, mode } => self.create(path, data, *mode),
            Operation::Delete { path, version } => self.delete(path, *version),
            Operation::SetData { path, data, version } => self.set_data(path, data, *version),
            Operation::Check { path, version } => self.check(path, *version),
            Operation::Exists { .. } | Operation::GetData { .. } | Operation::GetChildren { .. } => {
                read(&self.database, operation).expect("these are the operations that read")
            }
        }
    }

    fn create(
        &mut self,
        path: &ZnodePath,
        data: &ZnodeData,
        mode: CreateMode,
    ) -> Result<OperationResult, ZooKeeperError> {
        let (parent_path, _) = parent_and_name(path).ok_or(ZooKeeperError::NodeExists)?;
        let parent = self.database.znode(&parent_path).ok_or(ZooKeeperError::NoNode)?;
        if parent.ephemeral_owner.is_some() {
            return Err(ZooKeeperError::NoChildrenForEphemerals);
        }
        let (path, ephemeral_owner) = match mode {
            CreateMode::Persistent => (path.clone(), None),
            CreateMode::PersistentSequential => (ZnodePath::new(&format!("{}{:010}", path.0, parent.cversion)), None),
            CreateMode::Ephemeral => (path.clone(), Some(self.author.session)),
        };
        if self.database.znode(&path).is_some() {
            return Err(ZooKeeperError::NodeExists);
        }
        self.change(Change::Create { path: path.clone(), data: data.clone(), ephemeral_owner });
        let stat = self.stat(&path);
        Ok(OperationResult::Created { path, stat })
    }

    fn delete(&mut self, path: &ZnodePath, version: Option<ZnodeVersion>) -> Result<OperationResult, ZooKeeperError> {
        self.demand(path, version)?;
        if !self.database.znode(path).is_some_and(|znode| znode.children.is_empty()) {
            return Err(ZooKeeperError::NotEmpty);
        }
        self.change(Change::Delete { path: path.clone() });
        Ok(OperationResult::Deleted)
    }

    fn set_data(
        &mut self,
        path: &ZnodePath,
        data: &ZnodeData,
        version: Option<ZnodeVersion>,
    ) -> Result<OperationResult, ZooKeeperError> {
        self.demand(path, version)?;
        self.change(Change::SetData { path: path.clone(), data: data.clone() });
        Ok(OperationResult::DataSet(self.stat(path)))
    }

    fn check(&mut self, path: &ZnodePath, version: ZnodeVersion) -> Result<OperationResult, ZooKeeperError> {
        self.demand(path, Some(version)).map(|()| OperationResult::Checked)
    }

    fn demand(&self, path: &ZnodePath, version: Option<ZnodeVersion>) -> Result<(), ZooKeeperError> {
        let znode = self.database.znode(path).ok_or(ZooKeeperError::NoNode)?;
        match version {
            Some(version) if version != znode.version => Err(ZooKeeperError::BadVersion),
            Some(_) | None => Ok(()),
        }
    }

    fn change(&mut self, change: Change) {
        self.database.apply_change(&change, (self.zxid, self.author.at));
        self.changes.push(change);
    }

    fn stat(&self, path: &ZnodePath) -> Stat {
        self.database.znode(path).expect("it was just made or changed").stat()
    }
}
