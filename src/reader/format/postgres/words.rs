//! The words a Postgres server writes, in the languages `lc_messages` knows and logs are met in.

/// How grave a message is; only what decides over an action is kept apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Severity {
    /// LOG: what the server tells its administrator, statements among it.
    #[default]
    Log,
    /// ERROR, FATAL, PANIC: the statement did not succeed.
    Error,
    /// WARNING, NOTICE, INFO, DEBUG1 …
    Lesser,
}

/// What stands before the colon of a line of the plain log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// Begins a message.
    Message(Severity),
    Detail,
    Statement,
    /// HINT, CONTEXT, QUERY …: belongs to the message before it and says nothing about what was run.
    Aside,
}

/// The severity written as `word` in any of the languages.
pub(crate) fn severity(word: &str) -> Option<Severity> {
    match label(word)? {
        Label::Message(severity) => Some(severity),
        _ => None,
    }
}

/// A label found in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) label: Label,
    /// Where the label starts: the prefix ends here.
    pub(crate) start: usize,
    /// Where the text after the label and its two spaces starts.
    pub(crate) text: usize,
}

/// A prefix longer than this is none: the longest names are 63 bytes each.
const MAX_PREFIX: usize = 1024;

/// The first label in a line: `LOG:  `, `INSTRUCTION :  `.
pub(crate) fn find_label(line: &str) -> Option<Found> {
    let bytes = line.as_bytes();
    let window = &bytes[..bytes.len().min(MAX_PREFIX)];
    memchr::memchr_iter(b':', window).find_map(|colon| label_before(line, colon))
}

/// The label that stands at `start`, if one does.
pub(crate) fn label_at(line: &str, start: usize) -> Option<Found> {
    let bytes = line.as_bytes();
    let window = bytes.get(start..bytes.len().min(start + 64))?;
    let colon = start + memchr::memchr(b':', window)?;
    label_before(line, colon).filter(|found| found.start == start)
}

fn label_before(line: &str, colon: usize) -> Option<Found> {
    let bytes = line.as_bytes();
    // A line whose text begins on the next line ends right after the colon.
    if bytes.get(colon + 1).is_some_and(|byte| *byte != b' ') {
        return None;
    }
    // French puts a space before the colon.
    let end = if colon > 0 && bytes[colon - 1] == b' ' { colon - 1 } else { colon };
    let of_word = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte >= 0x80;
    let start = end - bytes[..end].iter().rev().take(40).take_while(|byte| of_word(byte)).count();
    let label = label(line.get(start..end)?)?;
    let spaces = bytes[colon + 1..].iter().take(2).take_while(|byte| **byte == b' ').count();
    let text = colon + 1 + spaces;
    let code = if matches!(label, Label::Message(_)) { code(bytes.get(text..).unwrap_or_default()) } else { 0 };
    Some(Found { label, start, text: text + code })
}

/// How long `42P01: ` is, which `log_error_verbosity = verbose` puts before a message.
fn code(text: &[u8]) -> usize {
    const LENGTH: usize = 5;
    let of_code = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    // Every code has a digit, and `AUDIT: ` has none.
    let is_code =
        text.get(..LENGTH).is_some_and(|code| code.iter().all(of_code) && code.iter().any(u8::is_ascii_digit));
    if is_code && text[LENGTH..].starts_with(b": ") { LENGTH + 2 } else { 0 }
}

fn label(word: &str) -> Option<Label> {
    match word {
        "LOG" => Some(Label::Message(Severity::Log)),
        "ERROR" => Some(Label::Message(Severity::Error)),
        "STATEMENT" => Some(Label::Statement),
        "DETAIL" => Some(Label::Detail),
        "" => None,
        _ => LABELS.iter().find(|(_, words)| words.contains(&word)).map(|(label, _)| *label),
    }
}

// One line a language where there are many: German, French, Spanish, Italian, Portuguese, Russian, Ukrainian, Swedish,
// Japanese, Korean, Chinese. What a language does not translate is missing in it.
#[rustfmt::skip]
const LABELS: &[(Label, &[&str])] = &[
    (Label::Message(Severity::Log), &["LOGG", "СООБЩЕНИЕ", "ЗАПИСУВАННЯ", "로그", "日志"]),
    (Label::Message(Severity::Error), &[
        "FATAL", "PANIC", "FEHLER", "PANIK", "ERREUR", "ERRORE", "FATALE", "PANICO", "ERRO", "ОШИБКА", "ВАЖНО", "ПАНИКА",
        "ПОМИЛКА", "ФАТАЛЬНО", "ПАНІКА", "FEL", "FATALT", "오류", "치명적오류", "손상", "错误", "致命错误",
    ]),
    (Label::Message(Severity::Lesser), &[
        "WARNING", "NOTICE", "INFO", "DEBUG", "DEBUG1", "DEBUG2", "DEBUG3", "DEBUG4", "DEBUG5",
        "WARNUNG", "HINWEIS", "ATTENTION", "ATTENZIONE", "NOTIFICA", "AVISO", "NOTA",
        "ПРЕДУПРЕЖДЕНИЕ", "ЗАМЕЧАНИЕ", "ИНФОРМАЦИЯ", "ОТЛАДКА", "ПОПЕРЕДЖЕННЯ", "ПОВІДОМЛЕННЯ", "ІНФОРМАЦІЯ", "НАЛАГОДЖЕННЯ",
        "VARNING", "NOTIS", "경고", "알림", "정보", "디버그", "警告", "注意", "信息", "调试",
    ]),
    (Label::Detail, &[
        "DÉTAIL", "DETALLE", "DETTAGLI", "DETALHE", "ПОДРОБНОСТИ", "ВІДОМОСТІ", "DETALJ", "詳細", "상세정보", "详细信息",
    ]),
    (Label::Statement, &[
        "ANWEISUNG", "INSTRUCTION", "SENTENCIA", "ISTRUZIONE", "COMANDO", "ОПЕРАТОР", "ІНСТРУКЦІЯ", "SATS", "文", "구문", "语句",
    ]),
    (Label::Aside, &[
        "HINT", "CONTEXT", "QUERY", "LOCATION", "BACKTRACE", "TIPP", "ANFRAGE", "ZUSAMMENHANG", "ASTUCE", "REQUÊTE", "CONTEXTE",
        "CONSULTA", "CONTEXTO", "SUGGERIMENTO", "CONTESTO", "DICA", "ПОДСКАЗКА", "ЗАПРОС", "КОНТЕКСТ", "СТЕК", "УКАЗІВКА",
        "ЗАПИТ", "ВІДСТЕЖУВАТИ", "TIPS", "FRÅGA", "KONTEXT", "ヒント", "問い合わせ", "文脈", "バックトレース", "힌트", "쿼리", "내용",
        "역추적", "提示", "查询", "上下文",
    ]),
];

// The first word of each list is what an English server says, so that it is found at once.
#[rustfmt::skip]
mod messages {
    pub(in super::super) const DURATION: &[&str] = &[
        "duration:", "Dauer:", "durée :", "duración:", "durata:", "duração:", "продолжительность:", "тривалість:", "varaktighet:", "varaktighet",
        "期間:", "실행시간:", "수행시간:", "执行时间:",
    ];
    pub(in super::super) const STATEMENT: &[&str] = &[
        "statement:", "Anweisung:", "instruction :", "sentencia:", "istruzione:", "comando:", "оператор:", "sats:", "文:",
        "명령 구문:", "语句:",
    ];
    pub(in super::super) const FETCH: &[&str] = &[
        "execute fetch from ", "Ausführen Fetch von ", "exécute fetch à partir de ", "ejecutar fetch desde ",
        "esecuzione di fetch da ", "executar busca de ", "выборка из ", "виконати витягнення з ", "kör hämtning från ",
        "取り出し実行 ", "자료뽑기 ", "执行FETCH操作",
    ];
    pub(in super::super) const EXECUTE: &[&str] = &[
        "execute ", "Ausführen ", "exécute ", "ejecutar ", "esecuzione di ", "executar ", "выполнение ", "виконувати ", "kör ",
        "実行 ", "쿼리실행 ", "执行",
    ];
    pub(in super::super) const STEP: &[&str] = &[
        "parse ", "bind ", "Parsen ", "Binden ", "analyse ", "lien ", "parse: ", "analisi di ", "análise ", "ligação ", "разбор ",
        "сообщение Bind ", "аналізування ", "повідомлення bind ", "パース", "バインド ", "解析 ", "绑定",
    ];
    /// Where the name comes before the verb.
    pub(in super::super) const STEP_LAST: &[&str] = &[" 구문분석", " 접속"];
    pub(in super::super) const PREPARE: &[&str] = &[
        "prepare:", "Vorbereiten:", "préparation :", "preparazione:", "preparado:", "подготовка:", "підготовка:", "準備:", "准备:",
    ];
    pub(in super::super) const PARAMETERS: &[&str] = &[
        "parameters:", "Parameters:", "Parameter:", "paramètres :", "Paramètres :", "parámetros:", "Parámetros:", "parametri:",
        "Parametri:", "parâmetros:", "Parâmetros:", "параметры:", "Параметры:", "параметри:", "Параметри:", "parametrar:",
        "Parametrar:", "パラメータ:", "매개 변수:", "参数:",
    ];
    pub(in super::super) const CONNECTED: &[&str] = &[
        "connection received:", "Verbindung empfangen:", "connexion reçue :", "conexión recibida:", "connessione ricevuta:",
        "conexão recebida:", "принято подключение:", "з'єднання отримано:", "ansluting mottagen:", "接続を受け付けました:",
        "접속 수락:", "已接收到连接:",
    ];
    pub(in super::super) const AUTHORIZED: &[&str] = &[
        "connection authorized:", "replication connection authorized:", "Verbindung autorisiert:", "connexion autorisée :",
        "conexión autorizada:", "connessione autorizzata:", "conexão autorizada:", "подключение авторизовано:",
        "підключення авторизовано:", "anslutning auktoriserad:", "接続の認証完了:", "연결 인증:",
    ];
    pub(in super::super) const DISCONNECTED: &[&str] = &[
        "disconnection:", "Verbindungsende:", "déconnexion :", "desconexión:", "disconnessione:", "desconexão:", "отключение:",
        "відключення:", "nedkoppling:", "接続を切断:", "연결종료:", "断开连接:",
    ];
}
pub(super) use messages::*;

/// What follows the first of `words` that `text` starts with, without leading spaces.
pub(super) fn after<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    words.iter().find_map(|word| text.strip_prefix(word)).map(|rest| rest.trim_start_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let shown = find_label(line).map_or("none".into(), |found| {
            format!("{}|{:?}|{}", &line[..found.start], found.label, &line[found.text..])
        });
        assert_eq!(shown, expected);
    }

    #[test]
    fn labels_in_several_languages() {
        check("10:20:30 [7] LOG:  statement: SELECT 1", "10:20:30 [7] |Message(Log)|statement: SELECT 1");
        check("x:[7]:FATAL:  no entry: a", "x:[7]:|Message(Error)|no entry: a");
        check("[7] INSTRUCTION :  SELECT 1", "[7] |Statement|SELECT 1");
        check("[7] DÉTAIL:  y", "[7] |Detail|y");
        check("[7] ОШИБКА:  нет", "[7] |Message(Error)|нет");
        check("[7] STATEMENT:      SELECT", "[7] |Statement|    SELECT");
        check("[7] HINT: one space", "[7] |Aside|one space");
    }

    #[test]
    fn other_words_are_no_labels() {
        check("[7] CATALOG:  x", "none");
        check("[7] statement: LOG:x", "none");
        check("", "none");
    }
}
