//! `daohu user totp`: the second factor of an account, for who hands it out and for emergencies.

use std::process::ExitCode;

use daohu_app::{
    Context, Lang,
    accounts::{User, enrol, find_user, reset_second_factor, second_factor_of},
    journal,
};

use super::{Done, user::act};
use crate::{
    cli::UserTotpArgs,
    open::{Wanted, open},
    output::{json, line},
};

pub(crate) async fn run(args: UserTotpArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let user = find_user(&context, &args.name).await?;
    if args.enrol {
        return tell(&context, &user, (args.json, lang)).await;
    }
    if args.reset {
        reset_second_factor(&context, act(&context), &user.id).await?;
        journal::seal_all(&context).await?;
    }
    let state = second_factor_of(&context, &user.id).await?;
    let (since, left) = (state.since.map(|since| since.to_string()), state.recovery_codes);
    if args.json {
        let name = &user.name;
        json(&serde_json::json!({
            "name": name, "second_factor_at": since, "recovery_codes_left": left,
        }))?;
    } else {
        line(match (since, lang) {
            (None, Lang::Zh) => format!("{}：未启用双因素认证", user.name),
            (None, Lang::En) => format!("{}: no second factor", user.name),
            (Some(since), Lang::Zh) => {
                format!("{}：{since} 起启用双因素认证，剩余恢复码 {left} 个", user.name)
            }
            (Some(since), Lang::En) => {
                format!("{}: second factor since {since}, {left} recovery codes left", user.name)
            }
        })?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Enrols the user and prints what is to be handed over: it is told once.
async fn tell(context: &Context, user: &User, (as_json, lang): (bool, Lang)) -> Done {
    let (enrolment, codes) = enrol(context, act(context), &user.id).await?;
    journal::seal_all(context).await?;
    let (uri, secret) = (enrolment.uri.0, enrolment.secret.0);
    let codes: Vec<String> = codes.into_iter().map(|code| code.0).collect();
    if as_json {
        json(&serde_json::json!({
            "name": user.name, "uri": uri, "secret": secret, "recovery_codes": codes,
        }))?;
    } else {
        line(&user.name)?;
        line(format_args!("{}{uri}", lang.pick("二维码内容：", "for a QR code: ")))?;
        line(format_args!("{}{secret}", lang.pick("密钥（手工输入）：", "to be typed: ")))?;
        line(lang.pick("恢复码（每个只能用一次）：", "recovery codes (each for one time):"))?;
        for code in codes {
            line(format_args!("  {code}"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
