//! The JSON Schema of a file of packs: made of the very types that files are read into, so that it cannot say something else.

use serde_json::{Value, json};

use crate::reading::File;

/// What editors and checks need to know of a file of packs, as JSON Schema (draft 2020-12).
pub fn schema() -> Value {
    let mut schema = Value::from(schemars::schema_for!(File));
    as_toml(&mut schema);
    if let Some(object) = schema.as_object_mut() {
        object.insert("$id".to_owned(), json!("urn:daohu:pack"));
        object.insert("title".to_owned(), json!("到户政策包 | a policy pack of Daohu"));
        let about = "一个政策包文件（TOML）。编辑器可据此提示和检查；表达式、区划、日期重叠由 daohu policy check 检查。 | A file of a policy \
                     pack (TOML), for editors. `daohu policy check` also checks expressions, areas and overlapping days.";
        object.insert("description".to_owned(), json!(about));
    }
    schema
}

/// TOML has no null: a key that need not be there is left out. How many bits a number has is nothing to who writes one.
fn as_toml(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get_mut("type") {
                types.retain(|own| own != "null");
                if let [only] = &types[..] {
                    let only = only.clone();
                    object.insert("type".to_owned(), only);
                }
            }
            if let Some(Value::Array(ways)) = object.get_mut("anyOf") {
                ways.retain(|own| *own != json!({ "type": "null" }));
            }
            object.remove("format");
            if object.get("default") == Some(&Value::Null) {
                object.remove("default");
            }
            object.values_mut().for_each(as_toml);
        }
        Value::Array(all) => all.iter_mut().for_each(as_toml),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Policy;

    fn errors(text: &str) -> Vec<String> {
        let validator = jsonschema::validator_for(&schema()).unwrap();
        let file: toml::Value = toml::from_str(text).unwrap();
        let file = serde_json::to_value(file).unwrap();
        validator.iter_errors(&file).map(|error| error.to_string()).collect()
    }

    #[test]
    fn every_shipped_file_is_as_the_schema_says() {
        for (name, text) in Policy::shipped() {
            assert_eq!(errors(text), [""; 0], "{name}");
        }
    }

    #[test]
    fn what_the_reader_refuses_for_its_form_the_schema_refuses() {
        let class =
            "[[class]]\nid = 'x'\ntitle = '甲'\ntitle_en = 'x'\nwhen = 'poor'\nsource = 'a test'\n";
        assert_eq!(errors(class), [""; 0]);
        assert!(Policy::embedded_and([("x.toml", class)]).is_ok());
        let warning = "[[warning]]\nid = 'x'\ntitle = '甲'\ntitle_en = 'x'\nwhen = 'poor'\nlevel = 'high'\nassign = 'village'\nhandle_days = 1\nrepeat_days = 1\nsource = 'a test'\n";
        assert_eq!(errors(warning), [""; 0]);
        for wrong in [
            class.replace("source = 'a test'\n", ""),
            class.replace("title_en", "titel_en"),
            class.replace("when = 'poor'", "when = 1"),
            class.replace("[[class]]", "[[klass]]"),
            class.replace("[[class]]", "[class]"),
            format!("{class}since = 2016\n"),
            format!("{class}since = '2016'\n"),
            format!("{class}until = '31.12.2016'\n"),
            format!("{class}open = 'yes'\n"),
            "[[list]]\nname = '甲'\nsource = 'a test'\nvalues = [{ code = '01', name = '乙', until = '2015' }]\n".to_owned(),
            warning.replace("'high'", "'very high'"),
            warning.replace("'village'", "'nobody'"),
            warning.replace("handle_days = 1", "handle_days = 1.5"),
            warning.replace("repeat_days = 1\n", ""),
            "area = 500242\n".to_owned(),
            "[monitoring]\nincome_year = 'some'\naccounts_close = [9, 30]\nsource = 'a test'\n"
                .to_owned(),
            "[monitoring]\nincome_year = 'of_date'\naccounts_close = [9]\nsource = 'a test'\n"
                .to_owned(),
        ] {
            assert!(!errors(&wrong).is_empty(), "the schema takes {wrong}");
            assert!(
                Policy::embedded_and([("x.toml", &wrong[..])]).is_err(),
                "the reader takes {wrong}"
            );
        }
    }
}
