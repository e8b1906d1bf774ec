//! Made-up names. Characters are drawn by lot from short lists; any likeness is chance.

use super::dice::Dice;
use super::member::Sex;

/// A surname and one or two given characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) surname: &'static str,
    pub(super) first: &'static str,
    /// Empty in a name of two characters.
    pub(super) second: &'static str,
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}{}", self.surname, self.first, self.second)
    }
}

/// The most common surnames, roughly by frequency.
const SURNAMES: &[(u32, &str)] = &[
    (73, "王"),
    (72, "李"),
    (68, "张"),
    (54, "刘"),
    (45, "陈"),
    (31, "杨"),
    (22, "黄"),
    (21, "赵"),
    (20, "吴"),
    (19, "周"),
    (14, "徐"),
    (14, "孙"),
    (13, "马"),
    (12, "朱"),
    (12, "胡"),
    (12, "郭"),
    (11, "何"),
    (11, "林"),
    (10, "高"),
    (10, "罗"),
    (8, "郑"),
    (8, "梁"),
    (8, "谢"),
    (7, "宋"),
    (7, "唐"),
    (7, "许"),
    (6, "邓"),
    (6, "冯"),
    (6, "韩"),
    (6, "曹"),
    (5, "曾"),
    (5, "彭"),
    (5, "肖"),
    (5, "蔡"),
    (5, "潘"),
    (5, "田"),
    (5, "董"),
    (5, "袁"),
    (4, "于"),
    (4, "余"),
    (4, "叶"),
    (4, "蒋"),
    (4, "杜"),
    (4, "苏"),
    (4, "魏"),
    (4, "程"),
    (4, "吕"),
    (4, "丁"),
    (3, "任"),
    (3, "卢"),
    (3, "姚"),
    (3, "沈"),
    (3, "钟"),
    (3, "姜"),
    (3, "崔"),
    (3, "谭"),
    (3, "陆"),
    (3, "范"),
    (3, "汪"),
    (3, "廖"),
    (2, "石"),
    (2, "金"),
    (2, "韦"),
    (2, "贾"),
    (2, "夏"),
    (2, "付"),
    (2, "方"),
    (2, "邹"),
    (2, "熊"),
    (2, "白"),
    (2, "孟"),
    (2, "秦"),
];

/// Given characters of men and women born before the seventies, and later.
const MEN_OLD: &str =
    "国建志文明永光正德福贵富兴发旺财顺天云林山生春秋成学忠孝义仁良中华军民平安世昌清";
const MEN_NEW: &str =
    "伟强勇军磊涛斌波鹏飞杰浩宇辉刚健俊峰超龙凯鑫亮阳旭洋帆毅博瑞泽晨轩子豪航锐哲远";
const WOMEN_OLD: &str = "秀英桂兰珍玉凤芝淑莲香花菊梅素琴翠连仙银碧群金月春清容贞素芳会先珠";
const WOMEN_NEW: &str = "丽敏静艳娟霞燕玲娜婷雪琳倩颖洁莉萍红芳慧佳欣怡梦雨涵诗琪思语嘉瑶晓彤妍萱";

/// Years of birth before this one use the older characters.
const OLD_UNTIL: i32 = 1970;

/// A surname: one in three is typical of the region.
pub(super) fn surname(dice: &mut Dice, regional: &[&'static str]) -> &'static str {
    if dice.chance(333) { dice.pick(regional) } else { dice.weighted(SURNAMES) }
}

/// A given name that fits sex and year of birth.
pub(super) fn named(dice: &mut Dice, surname: &'static str, sex: Sex, born: i32) -> Name {
    let characters = match (sex, born < OLD_UNTIL) {
        (Sex::Male, true) => MEN_OLD,
        (Sex::Male, false) => MEN_NEW,
        (Sex::Female, true) => WOMEN_OLD,
        (Sex::Female, false) => WOMEN_NEW,
    };
    let first = character(dice, characters);
    let second = if dice.chance(780) { character(dice, characters) } else { "" };
    Name { surname, first, second }
}

/// One character of the list; each takes three bytes.
fn character(dice: &mut Dice, characters: &'static str) -> &'static str {
    const BYTES: usize = 3;
    let count = u32::try_from(characters.len() / BYTES).unwrap_or(0);
    let start = usize::try_from(dice.below(count)).unwrap_or(0) * BYTES;
    characters.get(start..start + BYTES).unwrap_or_default()
}
