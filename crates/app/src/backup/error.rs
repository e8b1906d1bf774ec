//! Why a backup is not made, or not restored.

use std::path::PathBuf;

use crate::Lang;

/// A refusal, with what its words need.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.says(Lang::En))]
#[expect(missing_docs, reason = "the words of each are in `says`")]
pub enum BackupError {
    Exists(PathBuf),
    NotFound(PathBuf),
    NotABackup,
    NewerFormat { found: u32, known: u32 },
    NewerSchema { found: i64, known: i64 },
    OtherSchema(i64),
    WrongKeys,
    Damaged { block: u64 },
    NotEmpty { table: String },
    OtherTable { table: String },
    RowTooLarge { table: String },
    DoesNotFit { table: String, why: String },
    Differs { table: String },
}

impl BackupError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Exists(_) => "backup.file_exists",
            Self::NotFound(_) => "backup.file_not_found",
            Self::NotABackup => "backup.not_a_backup",
            Self::NewerFormat { .. } => "backup.newer_format",
            Self::NewerSchema { .. } => "backup.newer_schema",
            Self::OtherSchema(_) => "backup.other_schema",
            Self::WrongKeys => "backup.wrong_keys",
            Self::Damaged { .. } => "backup.damaged",
            Self::NotEmpty { .. } => "backup.not_empty",
            Self::OtherTable { .. } => "backup.other_table",
            Self::RowTooLarge { .. } => "backup.row_too_large",
            Self::DoesNotFit { .. } => "backup.does_not_fit",
            Self::Differs { .. } => "backup.differs",
        }
    }

    /// What is wrong and what to do.
    pub fn says(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => self.says_in_chinese(),
            Lang::En => self.says_in_english(),
        }
    }

    fn says_in_chinese(&self) -> String {
        match self {
            Self::Exists(path) => {
                format!("{} 已经存在，备份不覆盖任何文件；请换一个文件名", path.display())
            }
            Self::NotFound(path) => format!("找不到备份文件 {}", path.display()),
            Self::NotABackup => "这不是到户的备份文件".to_owned(),
            Self::NewerFormat { found, known } => {
                format!("备份的格式是第 {found} 版，本程序只认识第 {known} 版；请升级程序")
            }
            Self::NewerSchema { found, known } => {
                format!("备份的结构版本是 {found}，本程序只认识 {known}；请升级程序")
            }
            Self::OtherSchema(number) => {
                format!("备份里的第 {number} 次结构升级与本程序的不同；请用写出它的程序恢复")
            }
            Self::WrongKeys => "密钥文件打不开这个备份：它不是备份那天的密钥文件，或者比备份旧，\
                                或者备份文件的开头被改动；请用 --keys 指明备份的数据库的密钥文件"
                .to_owned(),
            Self::Damaged { block } => format!(
                "备份文件损坏、不完整或被改动（第 {block} 块），没有恢复任何数据；请换另一份备份"
            ),
            Self::NotEmpty { table } => format!(
                "目标数据库不是空的（有表 {table}），没有写入任何数据；请指明一个新的数据库"
            ),
            Self::OtherTable { table } => format!(
                "表 {table} 的结构与程序的不同，没有写入任何数据；请用 daohu migrate 建立的数据库"
            ),
            Self::RowTooLarge { table } => format!("表 {table} 里有一行太大，不能备份"),
            Self::DoesNotFit { table, why } => format!(
                "表 {table} 里有目标数据库不接受的数据（{why}），没有写入任何数据；\
                 请在原数据库上运行 daohu journal verify --deep"
            ),
            Self::Differs { table } => {
                format!("表 {table} 写入后与来源不一致，没有写入任何数据；请重试，并检查磁盘")
            }
        }
    }

    fn says_in_english(&self) -> String {
        match self {
            Self::Exists(path) => format!(
                "{} is there already, and a backup replaces no file: choose another name",
                path.display()
            ),
            Self::NotFound(path) => format!("there is no backup at {}", path.display()),
            Self::NotABackup => "the file is no backup of Daohu".to_owned(),
            Self::NewerFormat { found, known } => format!(
                "the backup has format {found}, this program knows {known}: upgrade the program"
            ),
            Self::NewerSchema { found, known } => format!(
                "the backup has schema {found}, this program knows {known}: upgrade the program"
            ),
            Self::OtherSchema(number) => format!(
                "migration {number} of the backup differs from the program's: restore it with the \
                 program that wrote it"
            ),
            Self::WrongKeys => "the key file does not open this backup: it is another \
                                installation's, or older than the backup, or the beginning of the \
                                backup was altered; name the key file of the database that was \
                                backed up with --keys"
                .to_owned(),
            Self::Damaged { block } => format!(
                "the backup is damaged, cut off or altered (block {block}), and nothing was \
                 restored: take another backup"
            ),
            Self::NotEmpty { table } => format!(
                "the target is not empty (it has the table {table}), and nothing was written: name \
                 a new database"
            ),
            Self::OtherTable { table } => format!(
                "the table {table} is not made as the program makes it, and nothing was written: \
                 use a database that `daohu migrate` made"
            ),
            Self::RowTooLarge { table } => {
                format!("a row of the table {table} is too large to be backed up")
            }
            Self::DoesNotFit { table, why } => format!(
                "the table {table} holds what the target does not take ({why}), and nothing was \
                 written: run `daohu journal verify --deep` on the database that it comes from"
            ),
            Self::Differs { table } => format!(
                "the table {table} is not what was read, and nothing was written: try again, and \
                 look at the disk"
            ),
        }
    }
}
