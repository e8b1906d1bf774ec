//! Every problem the interface can answer with: its stable code, status and words.
//!
//! Clients match the code, never the words. A code that is published stays. The words of a field's
//! problem are found here too, by the code of the field error.

use crate::Lang;

/// One kind of problem.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) code: &'static str,
    pub(super) status: u16,
    zh: &'static str,
    en: &'static str,
}

impl Entry {
    pub(super) fn title(&self, lang: Lang) -> &'static str {
        lang.pick(self.zh, self.en)
    }
}

const fn is(code: &'static str, status: u16, zh: &'static str, en: &'static str) -> Entry {
    Entry { code, status, zh, en }
}

/// The problem of this code; what is not in the table is our own mistake.
pub(super) fn entry(code: &str) -> &'static Entry {
    find(code).unwrap_or(&UNKNOWN)
}

/// The problem of this code, if it is in the table.
pub(super) fn find(code: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.code == code)
}

/// What kind of problem the code stands for, in words.
pub(crate) fn title(code: &str, lang: Lang) -> &'static str {
    entry(code).title(lang)
}

/// All of them.
pub(super) fn all() -> &'static [Entry] {
    TABLE
}

const UNKNOWN: Entry = is("server.internal", 500, "服务器内部错误", "Internal server error");

#[rustfmt::skip]
static TABLE: &[Entry] = &[
    // The request itself.
    is("coverage.unknown_role", 422, "没有这个岗位；请用报告中列出的名称", "There is no such role; use a name that the report lists"),
    is("quality.bad_period", 422, "from 不得晚于 until，一次最多 400 天", "from is not behind until, and 400 days are told at most"),
    is("quality.no_whole_county", 422, "质量趋势按整个县记录；请给出县或县以上的区划", "Points are taken of whole counties: name a county, or an area above counties"),
    is("quality.unknown_level", 422, "级别须为 reject 或 warn", "The level is reject or warn"),
    is("quality.unknown_rule", 422, "没有这条规则；规则见 /quality/rules", "There is no such rule; /quality/rules lists them"),
    is("monitor.bad_pack", 422, "政策包有误", "The pack is not right"),
    is("monitor.bad_year", 422, "没有这一年", "There is no such year"),
    is("monitor.level_above", 422, "by 须为本级或以下的区划级别", "by is the level of the area or one below it"),
    is("monitor.unknown_kind", 422, "of 须为 guarantee、class、warning 或 coverage", "of is guarantee, class, warning or coverage"),
    is("monitor.unknown_level", 422, "by 须为 city、county、township 或 village", "by is city, county, township or village"),
    is("monitor.unknown_outcome", 422, "outcome 须为 met、unmet 或 unknown", "outcome is met, unmet or unknown"),
    is("monitor.unknown_rule", 422, "当日没有这一条目；条目见 /areas/{code}/monitoring", "There is no such rule on the day; /areas/{code}/monitoring lists them"),
    is("monitor.incomes_in_thought", 422, "测算不改变收入的口径（income_part、cost_ratio）：请用 daohu monitor run --pack 试算", "What counts as income (income_part, cost_ratio) is not changed in thought: try it with `daohu monitor run --pack`"),
    is("monitor.unknown_standard", 422, "没有这项标准，或数额不正确", "There is no such standard, or the amount is none"),
    is("monitor.starting", 503, "系统正在读入全部农户，请稍后重试", "All households are being read: try again shortly"),
    is("monitor.year_not_kept", 422, "这一年的收入明细不在内存中：请选县或县以下的区划，或最近一个已结账的年度", "The amounts of that year are not in memory: name a county or an area below it, or the last year whose accounts are closed"),
    is("request.bad_day", 422, "日期须写作 YYYY-MM-DD", "Write a day as YYYY-MM-DD"),
    is("request.bad_field", 422, "字段的值不正确", "The value of the field is not right"),
    is("request.bad_idempotency_key", 400, "Idempotency-Key 须为1至128个可见ASCII字符", "An Idempotency-Key has 1 to 128 visible ASCII characters"),
    is("request.bad_if_match", 400, "If-Match 须为读取时得到的 ETag", "If-Match must be the ETag that was read"),
    is("request.bad_json", 400, "请求体不是合法的JSON", "The request body is not valid JSON"),
    is("request.bad_path", 400, "网址中的参数不正确", "A parameter in the path is not right"),
    is("request.bad_query", 400, "查询参数不正确", "A query parameter is not right"),
    is("request.body_too_large", 413, "请求体过大", "The request body is too large"),
    is("request.body_unreadable", 400, "请求体未能完整接收", "The request body did not arrive whole"),
    is("request.cross_site", 403, "拒绝来自其他网站的请求", "Requests from other sites are refused"),
    is("request.field_missing", 422, "缺少字段", "The field is missing"),
    is("request.field_type", 422, "字段的类型不正确", "The field has the wrong type"),
    is("request.field_unknown", 422, "没有这个字段", "There is no such field"),
    is("request.if_match_missing", 428, "缺少 If-Match：请先读取记录，再提交修改", "If-Match is missing: read the record before changing it"),
    is("request.invalid", 422, "提交的内容有误", "What was sent breaks rules"),
    is("request.not_json", 415, "请求体须为 application/json", "The request body must be application/json"),
    is("request.rate_limited", 429, "请求过于频繁，请稍后再试", "Too many requests: try again later"),
    is("request.unknown_route", 404, "没有这个网址", "There is nothing at this address"),
    is("request.wrong_method", 405, "此网址不支持这种请求方法", "This address does not support the method"),
    // Repeated requests.
    is("idempotency.in_progress", 409, "同一请求正在处理或曾被中断：请先查看是否已完成，再换用新的 Idempotency-Key", "The same request is being carried out or was interrupted: see whether it was done, then use another Idempotency-Key"),
    is("idempotency.mismatch", 422, "此 Idempotency-Key 已用于另一个请求", "This Idempotency-Key was used for another request"),
    is("idempotency.unsupported", 400, "上传文件的请求不支持 Idempotency-Key", "Uploads do not support Idempotency-Key"),
    // Pages.
    is("page.bad_cursor", 422, "翻页标记无效，请从第一页重新开始", "The page mark is not valid: start again from the first page"),
    is("page.bad_limit", 422, "每页条数须为 1 至 {limit}", "The page size is from 1 to {limit}"),
    // Records.
    is("record.ambiguous", 409, "编号对应多条记录，请指明是哪一条", "The number stands for several records: say which"),
    is("record.not_found", 404, "没有找到，或不在您的管辖范围内", "Not found, or outside your area"),
    is("record.stale", 412, "记录已被他人修改，请刷新后重试", "The record was changed by someone else: refresh and try again"),
    // Who asks.
    is("auth.forbidden", 403, "您的角色没有这项权限", "Your role lacks this right"),
    is("auth.not_signed_in", 401, "请先登录", "Sign in first"),
    is("session.refused", 401, "用户名或密码不正确，或账号已锁定", "The name or password is wrong, or the account is locked"),
    is("session.code_wanted", 401, "请输入动态口令，或一个恢复码", "Give the one-time code, or a recovery code"),
    is("session.bad_code", 401, "动态口令或恢复码不正确，或已经用过", "The one-time code or recovery code is wrong, or was used before"),
    // Accounts.
    is("account.must_change_password", 403, "请先修改初始密码", "Change the initial password first"),
    is("account.locked_out", 403, "失败次数过多，账号暂时锁定，请稍后再试", "Too many attempts failed: the account is shut for a while, try again later"),
    is("account.must_enrol_second_factor", 403, "您的角色要求双因素认证：请先设置动态口令", "Your role needs a second factor: enrol one first"),
    is("account.last_administrator", 409, "这是最后一位在任的该类管理员，不能锁定或撤销", "This is the last active administrator of the kind: neither lock nor remove"),
    is("password.wrong", 422, "密码不正确", "The password is wrong"),
    is("password.too_short", 422, "密码太短：至少 {limit} 个字符", "The password is too short: {limit} characters at least"),
    is("password.too_long", 422, "密码太长：最多 {limit} 字节", "The password is too long: {limit} bytes at most"),
    is("password.too_simple", 422, "密码须混用大写字母、小写字母、数字和符号", "A password mixes capitals, small letters, digits and symbols"),
    is("password.is_name", 422, "密码不能与用户名相同", "The password must not equal the user name"),
    is("password.unchanged", 422, "新密码不能与原密码相同", "The new password must differ from the old one"),
    is("second_factor.active", 409, "已启用双因素认证：如要重设，请先重置", "There is a second factor already: reset it first"),
    is("second_factor.needed", 403, "您的角色要求双因素认证，不能停用；可以换用另一部手机", "Your role needs the second factor: it can be replaced, not removed"),
    is("second_factor.none", 409, "尚未启用双因素认证", "There is no second factor"),
    is("second_factor.not_started", 409, "请先开始设置双因素认证", "Start to enrol the second factor first"),
    is("second_factor.own_reset", 403, "不能重置自己的双因素认证：请由另一位安全管理员办理，或在服务器上用命令", "Nobody resets the own second factor: another security administrator does, or the command on the server"),
    is("user.bad_name", 422, "用户名须为3至32个小写字母、数字或 . _ -，并以字母或数字开头", "A user name has 3 to 32 small letters, digits or . _ - and begins with a letter or digit"),
    is("user.name_is_id_number", 422, "用户名不能是身份证号", "A user name must not be an ID number"),
    is("user.name_reserved", 422, "此用户名由系统保留", "This user name is reserved by the system"),
    is("user.bad_display_name", 422, "姓名须为1至64个字符", "A display name has 1 to 64 characters"),
    is("user.reset_on_server", 403, "三类管理员的密码只能在服务器上用命令重置", "The password of an administrator is reset by the command on the server"),
    is("user.name_taken", 409, "用户名已被使用", "The user name is taken"),
    // Grants.
    is("grant.area_missing", 422, "业务角色必须指定区划", "A business role needs an area"),
    is("grant.area_not_wanted", 422, "管理员角色不能指定区划", "An administrator's role has no area"),
    is("grant.bad_area", 422, "区划代码不正确", "The area code is not right"),
    is("grant.bad_period", 422, "终止日期须晚于起始日期", "The end must come after the start"),
    is("grant.duplicate", 409, "该用户已有这项授权", "The user holds this grant already"),
    is("grant.ended", 409, "这项授权已经终止", "The grant has ended already"),
    is("grant.exclusive", 409, "三类管理员角色不得与其他角色兼任", "An administrator's role cannot be combined with another role"),
    is("grant.to_self", 403, "不能给自己授权", "Nobody grants a role to himself"),
    is("grant.unknown_area", 422, "区划表里没有这个区划", "There is no such area"),
    is("grant.unknown_role", 422, "没有这个角色", "There is no such role"),
    // The registry.
    is("area.bad_code", 422, "区划代码不正确", "The area code is not right"),
    is("area.is_group", 422, "这里到行政村为止：请写村民小组所在的村", "Areas go down to the village here: name the village of the group"),
    is("area.bad_level", 422, "级别须为 01（省）至 06（组）", "Levels are 01 (province) to 06 (group)"),
    is("import.built_on", 409, "导入之后，别的数据已引用它", "Something that came after the import refers to it"),
    is("import.gone_since", 409, "恢复后所引用的区划、单位、干部或工作队已不在", "What it named before is not there any more"),
    is("import.in_the_way", 409, "导入之后有了新的改动，不能撤销：请先处理下列记录", "Something was built on the import since: deal with these records first"),
    is("import.no_history", 409, "导入之前的内容没有记录，无法恢复", "What it was before the import is not on record"),
    is("import.number_taken", 409, "恢复后，这个证件号码将同时属于两名在册人员", "Its ID number would belong to two members of households"),
    is("import.second_head", 409, "恢复后，这一户将有两名户主", "The household would have two heads"),
    is("import.undone", 409, "这次导入已经撤销", "The import was undone already"),
    is("import.written_since", 409, "导入之后又被修改", "It was changed after the import"),
    is("area.ended", 422, "区划已停用：请填接续它的区划，或只填停用以前的", "The area has ended: name the one that follows it, or tell only of days before"),
    is("area.no_parent", 422, "上级区划不存在", "The area has no parent"),
    is("area_change.bad_name", 422, "名称须为1至100个字", "A name has 1 to 100 characters"),
    is("area_change.no_household", 422, "该村没有这一户", "The village has no such household"),
    is("area_change.code_taken", 422, "换上级后的代码已被占用：请单列一行写明新代码", "Under the new parent its code is taken: give it a line of its own with a new code"),
    is("area_change.code_used", 422, "这个代码已停用，不能再用", "The code has ended and is not used again"),
    is("area_change.future", 422, "启用日期不能晚于今天", "The first day of the new codes cannot be to come"),
    is("area_change.group", 422, "村民小组随村走，不单列：请写村及以上的代码", "Villagers' groups go with their village: give the code of a village or of what is above"),
    is("area_change.household_left", 422, "拆分后没有写明这一户归哪个村", "No part of the split takes this household"),
    is("area_change.left_behind", 422, "上级停用后，此区划没有归属：请写明归到哪里", "What it lies in ends: say where it goes"),
    is("area_change.no_group", 422, "该村没有这个村民小组", "The village has no such group"),
    is("area_change.no_name", 422, "请写明新区划的名称", "Give the name of the new area"),
    is("area_change.not_begun", 422, "启用日期须晚于这个区划的启用日期", "The day must come after the first day of this area"),
    is("area_change.nothing", 422, "没有要改的内容", "There is nothing to change"),
    is("area_change.number_taken", 422, "新的县已有这个户编号", "The new county has a household of this number"),
    is("area_change.only_villages", 422, "只有行政村可以按组、按户拆分", "Only villages are split by groups and households"),
    is("area_change.other_level", 422, "新旧代码的级别不同", "The old and the new code are of different levels"),
    is("area_change.twice", 422, "同一区划的两行互相矛盾", "Two lines about one area contradict each other"),
    is("area_change.unknown", 422, "没有这个在用的区划", "There is no such area in use"),
    is("household.no_taken", 422, "该县已有这个户编号", "The county has this number already"),
    is("household.other_county", 422, "不能改到其他县：请用导入办理迁移", "A household cannot be changed into another county: import the move"),
    is("household.unknown_group", 422, "该村没有这个村民小组", "The village has no such group"),
    is("household.unknown_village", 422, "没有这个在用的行政村，或不在您的管辖范围内", "There is no such village in use, or it is outside your area"),
    is("income.bad_year", 422, "年份不正确", "The year is not right"),
    is("list.sort_needs_county", 422, "这种排序只能用于一个县以内：请先选择区划", "This order needs an area within one county"),
    is("list.too_many_records", 422, "要检查的户太多，不能一次导出；请缩小区划", "Too many households would have to be looked at for one file: name a smaller area"),
    is("list.too_many_rows", 422, "行数太多，不能一次导出；请缩小区划或增加条件", "These are too many rows for one file: name a smaller area, or more conditions"),
    is("list.unknown_column", 422, "没有这一列", "There is no such column"),
    is("list.unknown_format", 422, "格式须为 csv 或 xlsx", "The format is csv or xlsx"),
    is("list.unknown_sort", 422, "不支持这种排序", "There is no such order"),
    is("person.household_fixed", 422, "不能在这里改换所属的户", "The household cannot be changed here"),
    is("person.id_taken", 422, "该证件号码已登记在另一户", "The ID number is registered in another household"),
    is("person.merged", 409, "该人的记录已并入另一条记录；如系误并，请先撤销合并", "The record was merged into another one: undo the merge first, if it was a mistake"),
    is("person.second_head", 422, "该户已有户主", "The household has a head already"),
    is("reveal.reason_too_long", 422, "理由太长：最多 {limit} 个字", "The reason is too long: {limit} characters at most"),
    is("reveal.reason_too_short", 422, "请写明查看完整号码的理由：至少 {limit} 个字", "Say why the full number is needed: {limit} characters at least"),
    is("search.bad_text", 422, "请输入1至50个字符", "Write 1 to 50 characters"),
    is("crosscheck.area_needed", 422, "这种比对查的是不在名单上的人，须指明名单所属的区划（--area）", "This check looks for who is not on the list: name the area that the list is of (--area)"),
    is("crosscheck.empty_list", 422, "名单里没有一行能用：所有人都会被当作不在名单上，没有比对", "No row of the list can be used: everybody would seem to be missing from it, so nobody was looked up"),
    is("crosscheck.unknown_check", 422, "政策包里没有这种比对；daohu policy explain 列出各种比对", "No pack has this check; `daohu policy explain` lists them"),
    is("follow_up.bad_outcome", 422, "结论须为代码表“线索核查结论”（线索）或“预警核查结论”（预警）中的一项", "The outcome is a value of the list 线索核查结论 (leads) or 预警核查结论 (warnings)"),
    is("follow_up.bad_state", 422, "状态须为 open 或 closed", "States are open and closed"),
    is("follow_up.is_closed", 409, "这一条已经办结", "This one is closed already"),
    is("follow_up.reason_too_long", 422, "说明太长：最多 {limit} 个字", "The reason is too long: {limit} characters at most"),
    is("follow_up.reason_too_short", 422, "请写明核查情况：至少 {limit} 个字", "Say what was found: {limit} characters at least"),
    is("suspect.bad_ground", 422, "依据须为 name 或 sound", "Grounds are name and sound"),
    is("suspect.bad_verdict", 422, "结论须为 different、same 或 open；筛选时还可用 merged", "Verdicts are different, same and open; lists also take merged"),
    is("suspect.changed_since", 422, "合并以后，这条记录又有变动，不能撤销合并；请直接更正这条记录", "This record was changed after the merge, which cannot be undone any more: put the record itself right"),
    is("suspect.head_ends", 409, "要结束的记录是所在户的户主，而该户还有其他成员：请先另定户主，或保留这条记录", "The record that would end is the head of a household with other members: name another head first, or keep this record"),
    is("suspect.is_different", 409, "两人已认定不是同一人：如有误，请先撤回认定", "The two were judged to be different persons: take that back first, if it was a mistake"),
    is("suspect.is_merged", 409, "两条记录已经合并：请先撤销合并", "The two records are merged: undo that first"),
    is("suspect.keep_unknown", 422, "保留的记录须为两人之一", "The record that stays must be one of the two"),
    is("suspect.no_change_kind", 409, "政策包的变动类型中没有标明合并的一种", "No kind of change of the policy pack is marked for merging"),
    is("suspect.not_current", 409, "两人中有人已不是户内成员，不能合并", "One of the two is no member of a household any more: they cannot be merged"),
    is("suspect.not_merged", 409, "两条记录没有合并", "The two records are not merged"),
    is("suspect.one_household", 409, "两人在同一户内：请直接更正该户的成员", "The two are members of one household: put its members right instead"),
    is("suspect.reason_too_long", 422, "理由太长：最多 {limit} 个字", "The reason is too long: {limit} characters at most"),
    is("suspect.reason_too_short", 422, "请写明认定的理由：至少 {limit} 个字", "Say why it is judged so: {limit} characters at least"),
    is("area.groups_full", 409, "该村的村民小组已满99个", "The village has 99 groups already"),
    is("register.exists", 409, "这条记录已经有了：请读取后修改", "The record is there already: read it and change it"),
    is("row.area_wanted", 422, "必须填写：您只能登记本区划内的", "It must be filled: you register only what is in your area"),
    is("registry.ids_used_up", 409, "该县的编号已用完", "The county's ids are used up"),
    // Files of an import.
    is("file.no_sheets", 422, "没有可导入的表", "There are no sheets to import"),
    is("file.not_found", 422, "找不到文件", "There is no such file"),
    is("file.unreadable", 422, "文件无法读取", "The file cannot be read"),
    is("file.not_a_spreadsheet", 422, "不是 CSV 或 XLSX 文件", "The file is neither CSV nor XLSX"),
    is("file.parquet", 422, "Parquet 文件不能导入，请改用 CSV 或 XLSX", "Parquet files are not imported: use CSV or XLSX"),
    is("file.damaged", 422, "文件损坏或不完整", "The file is damaged or cut off"),
    is("file.unknown_sheet", 422, "不认识这张表", "The sheet is not known"),
    is("file.no_header", 422, "文件没有表头", "The file has no header row"),
    is("file.wrong_delimiter", 422, "列之间应以逗号分隔", "Columns must be separated by commas"),
    is("file.bad_encoding", 422, "文字编码应为 UTF-8 或 GBK", "The text must be UTF-8 or GBK"),
    is("file.missing_columns", 422, "缺少必需的列", "Required columns are missing"),
    is("file.no_list_column", 422, "名单里没有证件号码列", "The list has no column of ID numbers"),
    is("file.duplicate_column", 422, "同一列出现了两次", "A column stands twice"),
    is("file.too_many_columns", 422, "列太多", "There are too many columns"),
    is("file.row_too_large", 422, "有一行太长", "A row is too large"),
    is("file.cell_too_large", 422, "有一个单元格太长", "A cell is too large"),
    is("file.open_quote", 422, "有引号没有配对", "A quote is left open"),
    is("file.too_large", 422, "文件解压后太大", "The file unpacks to too much"),
    is("file.merged_cells", 422, "有合并单元格", "There are merged cells"),
    is("file.formula_without_value", 422, "公式没有算出的值", "A formula has no computed value"),
    // Imports and exports.
    is("exchange.disk_full", 507, "磁盘空间不足，请联系运维人员", "There is not enough room on the disk: call the operator"),
    is("exchange.not_multipart", 415, "请以 multipart/form-data 上传文件", "Send the files as multipart/form-data"),
    is("exchange.bad_upload", 400, "上传的内容不完整或格式不对", "The upload is cut off or malformed"),
    is("exchange.no_files", 422, "请选择要导入的文件", "Choose the files to import"),
    is("exchange.too_many_files", 422, "文件太多，一次最多 {limit} 个：请分次导入", "There are too many files, {limit} at most: import them in several goes"),
    is("exchange.unknown_sheet", 422, "没有这张表", "There is no such sheet"),
    is("exchange.rows_rejected", 422, "有被拒绝的行，没有导入任何数据：请改正后重新导入，或选择只导入合格的行", "Rows were rejected and nothing was stored: put them right, or import the good rows only"),
    is("exchange.changed_meanwhile", 409, "导入期间，文件所涉及的户或人被他人修改，没有导入任何数据：请重新导入", "A household or person of the files was changed by someone else meanwhile, and nothing was stored: import again"),
    is("exchange.report_failed", 500, "数据已经导入，但报告未能写出", "The rows are stored, but the report could not be written"),
    is("job.ended", 409, "任务已经结束", "The job has ended"),
    is("job.not_ended", 409, "任务还没有结束", "The job has not ended yet"),
    is("job.stored", 409, "数据已经导入，不必重新执行", "The rows are stored already: there is nothing to do again"),
    is("job.files_gone", 409, "文件已过保留期并被删除，请重新上传或导出", "The files were deleted when their time was over: upload or export again"),
    is("job.no_import", 422, "只有导入任务才有这些选项", "Only an import has these options"),
    is("job.no_file", 409, "任务失败或被取消，没有生成文件", "The job failed or was cancelled and made no file"),
    is("job.right_lost", 403, "任务开始时，申请人已没有所需的权限", "When the job was to begin, its maker no longer had the right to it"),
    is("job.upload_in_progress", 409, "您的上一次上传尚未结束，请稍后再试", "Your last upload is not finished: try again later"),
    is("job.too_many", 429, "您已有多个任务在等待，请等其完成后再提交", "Several of your jobs are waiting: come back when they are done"),
    // Policy packs.
    is("policy.bad_pack", 422, "政策包有误", "The pack cannot be used"),
    is("policy.no_files", 422, "政策包里没有文件", "The pack has no files"),
    is("policy.outside", 403, "政策包涉及权限范围以外的区划；没有写 area 的文件对全系统生效，须有全部区县的权限", "The pack is for areas outside yours; files without `area` hold for the whole installation, and need all counties"),
    is("policy.unknown_item", 422, "没有这一条：见不带 item 的回答", "There is no such item: the answer without `item` lists them"),
    is("policy.bad_name", 422, "政策包名称用 1—64 个汉字、字母、数字或 - _ .", "A pack's name has 1 to 64 letters, digits or - _ ."),
    is("policy.published_meanwhile", 409, "他人刚刚发布了政策包：请重新检查后再发布", "Another pack was published meanwhile: check again and publish again"),
    // The server.
    is("server.busy", 503, "系统繁忙，请稍后重试", "The system is busy: try again shortly"),
    is("server.cancelled", 409, "操作已取消", "The work was cancelled"),
    is("server.disk_full", 507, "磁盘已满，请联系运维人员", "The disk is full: call the operator"),
    is("server.internal", 500, "服务器内部错误", "Internal server error"),
    is("server.not_ready", 503, "系统尚未就绪", "The system is not ready"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_every_status_is_an_error() {
        let mut codes: Vec<&str> = all().iter().map(|entry| entry.code).collect();
        codes.sort_unstable();
        assert!(codes.windows(2).all(|pair| pair[0] != pair[1]), "a code stands twice");
        assert!(all().iter().all(|entry| (400..600).contains(&entry.status)));
    }
}
