//! What is wrong with a file as a whole.

use std::path::PathBuf;

use crate::{Lang, sheet::Sheet};

/// A file that cannot be read, and where it stopped.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}: {}", path.display(), problem.says(Lang::En))]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// The worksheet, in a workbook.
    pub sheet: Option<String>,
    /// The row, from 1 with the header, if it was reached.
    pub row: Option<u64>,
    /// The column, by its header or letter, if one is to blame.
    pub column: Option<String>,
    /// Why.
    pub problem: FileProblem,
}

/// Why a file is refused.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the words of each are in `says`")]
pub enum FileProblem {
    NotFound,
    Unreadable(String),
    NotASpreadsheet,
    Parquet,
    Damaged(String),
    UnknownSheet,
    NoSheets { skipped: Vec<String> },
    NoHeader,
    WrongDelimiter { found: char },
    BadEncoding,
    MissingColumns(Vec<String>),
    NoListColumn { headers: Vec<String> },
    DuplicateColumn,
    TooManyColumns { max: usize },
    RowTooLarge { bytes_max: u64 },
    CellTooLarge { bytes_max: u64 },
    OpenQuote,
    TooLarge { bytes_max: u64 },
    MergedCells { range: String },
    FormulaWithoutValue,
    AreasNotAllowed,
}

impl FileError {
    /// An error of the file as a whole.
    pub fn new(path: impl Into<PathBuf>, problem: FileProblem) -> Self {
        Self { path: path.into(), sheet: None, row: None, column: None, problem }
    }

    /// The same error with the worksheet named.
    pub fn in_sheet(mut self, sheet: &str) -> Self {
        self.sheet = Some(sheet.to_owned());
        self
    }

    /// The same error with the row named.
    pub fn at_row(mut self, row: u64) -> Self {
        self.row = Some(row);
        self
    }

    /// Where and why, for whoever sent the file: its name without the folders of this server.
    pub fn says(&self, lang: Lang) -> String {
        let mut says = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(sheet) = &self.sheet {
            says = format!("{says} [{sheet}]");
        }
        if let Some(row) = self.row {
            says = match lang {
                Lang::Zh => format!("{says} 第{row}行"),
                Lang::En => format!("{says} row {row}"),
            };
        }
        if let Some(column) = &self.column {
            says = format!("{says} “{column}”");
        }
        let mark = lang.pick("：", ": ");
        format!("{says}{mark}{}", self.problem.says(lang))
    }

    /// The same error with the column named.
    pub fn at_column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }
}

impl FileProblem {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "file.not_found",
            Self::Unreadable(_) => "file.unreadable",
            Self::NotASpreadsheet => "file.not_a_spreadsheet",
            Self::Parquet => "file.parquet",
            Self::Damaged(_) => "file.damaged",
            Self::UnknownSheet => "file.unknown_sheet",
            Self::NoSheets { .. } => "file.no_sheets",
            Self::NoHeader => "file.no_header",
            Self::WrongDelimiter { .. } => "file.wrong_delimiter",
            Self::BadEncoding => "file.bad_encoding",
            Self::MissingColumns(_) => "file.missing_columns",
            Self::NoListColumn { .. } => "file.no_list_column",
            Self::DuplicateColumn => "file.duplicate_column",
            Self::TooManyColumns { .. } => "file.too_many_columns",
            Self::RowTooLarge { .. } => "file.row_too_large",
            Self::CellTooLarge { .. } => "file.cell_too_large",
            Self::OpenQuote => "file.open_quote",
            Self::TooLarge { .. } => "file.too_large",
            Self::MergedCells { .. } => "file.merged_cells",
            Self::FormulaWithoutValue => "file.formula_without_value",
            Self::AreasNotAllowed => "file.areas_not_allowed",
        }
    }

    /// What is wrong and what to do.
    pub fn says(&self, lang: Lang) -> String {
        let say = |zh: &str, en: &str| lang.pick(zh, en).to_owned();
        match self {
            Self::NotFound => say("找不到文件", "there is no such file"),
            Self::Unreadable(why) => match lang {
                Lang::Zh => format!("无法读取（{why}）"),
                Lang::En => format!("cannot be read ({why})"),
            },
            Self::NotASpreadsheet => say(
                "不是 CSV 或 XLSX 文件；请另存为其中一种",
                "is neither CSV nor XLSX: save it as one of them",
            ),
            Self::Parquet => say(
                "是 Parquet 文件，供统计程序读取，不能导入；请以 CSV 或 XLSX 格式导出后再导入",
                "is a Parquet file, which is for programs to read and is not imported: export as CSV or \
                 XLSX and import that",
            ),
            Self::Damaged(why) => match lang {
                Lang::Zh => format!("文件损坏或不完整（{why}）；请重新保存或传送"),
                Lang::En => format!("is damaged or cut off ({why}): save or send it again"),
            },
            Self::UnknownSheet => {
                let list =
                    |name: fn(&Sheet) -> &str| Sheet::ALL.map(name).join(lang.pick("、", ", "));
                let (titles, names) = (list(|sheet| sheet.title), list(|sheet| sheet.name));
                match lang {
                    Lang::Zh => format!(
                        "不认识这张表；文件名或工作表名应为“{titles}”之一（或 {names}），第一行须是表头（表头上方不要有标题行）"
                    ),
                    Lang::En => format!(
                        "is not a known sheet: name it {names} (or {titles}); its first row must be the \
                         header, without a title above it"
                    ),
                }
            }
            Self::NoSheets { skipped } if skipped.is_empty() => {
                say("文件夹是空的，没有可导入的表", "no sheets found: the folder is empty")
            }
            Self::NoSheets { skipped } => match lang {
                Lang::Zh => format!("没有可导入的表；跳过了：{}", skipped.join("、")),
                Lang::En => format!("no sheets found; skipped: {}", skipped.join(", ")),
            },
            Self::NoHeader => say("没有表头", "has no header row"),
            Self::WrongDelimiter { found } => match lang {
                Lang::Zh => format!("列之间用的是“{}”，应为逗号", show(*found)),
                Lang::En => format!("separates columns by {}, not by commas", show(*found)),
            },
            Self::BadEncoding => {
                say("不是 UTF-8 或 GBK 编码的文字", "is text in neither UTF-8 nor GBK")
            }
            Self::MissingColumns(columns) => match lang {
                Lang::Zh => format!("缺少必需的列：{}", columns.join("、")),
                Lang::En => format!("lacks required columns: {}", columns.join(", ")),
            },
            Self::NoListColumn { headers } => match lang {
                Lang::Zh => format!(
                    "第一行没有这样的列：{}；表头上方不要有标题行，其他列名请写入政策包",
                    headers.join("、")
                ),
                Lang::En => format!(
                    "has none of these columns in its first row: {}; put no title above the header, and other \
                     names into a policy pack",
                    headers.join(", ")
                ),
            },
            Self::DuplicateColumn => say("同一列出现了两次", "stands twice in the header"),
            Self::TooManyColumns { max } => match lang {
                Lang::Zh => format!("超过 {max} 列"),
                Lang::En => format!("has more than {max} columns"),
            },
            Self::RowTooLarge { bytes_max } => match lang {
                Lang::Zh => format!("一行超过 {bytes_max} 字节；可能有引号没有配对"),
                Lang::En => format!("has a row over {bytes_max} bytes: is a quote left open?"),
            },
            Self::CellTooLarge { bytes_max } => match lang {
                Lang::Zh => format!("一个单元格超过 {bytes_max} 字节"),
                Lang::En => format!("has a cell over {bytes_max} bytes"),
            },
            Self::OpenQuote => say(
                "这一行有引号没有配对，后面的行都被并入其中",
                "has a quote left open, which swallows all that follows",
            ),
            Self::TooLarge { bytes_max } => match lang {
                Lang::Zh => format!("解压后超过 {bytes_max} 字节，不予打开"),
                Lang::En => format!("unpacks to over {bytes_max} bytes and is not opened"),
            },
            Self::MergedCells { range } => match lang {
                Lang::Zh => format!("有合并单元格 {range}；请取消合并并逐格填写"),
                Lang::En => format!("has merged cells {range}: unmerge and fill each cell"),
            },
            Self::FormulaWithoutValue => say(
                "公式没有算出的值；请在电子表格中打开并重新保存",
                "is a formula without a computed value: open and save it in a spreadsheet program",
            ),
            Self::AreasNotAllowed => say(
                "是行政区划表，您没有修改行政区划的权限；请去掉这张表再导入，区划变更请报扶贫办",
                "is a sheet of areas, which you may not change: leave it out, and report changes of \
                 areas to the office",
            ),
        }
    }
}

fn show(delimiter: char) -> String {
    if delimiter == '\t' { "Tab".to_owned() } else { delimiter.to_string() }
}
