//! Money that a call moves, and who gets it.

use crate::classify::naming;
use crate::model::Operation;

use super::{Call, audience};

/// Arguments that name who is paid.
const PAYEES: &[&str] = &["beneficiary", "payee", "iban", "to_account", "destination_account", "account_number"];

/// Arguments that say where somebody is paid from now on.
const BANKS: &[&str] =
    &["iban", "account_number", "routing_number", "bank_account", "sort_code", "bank_account_number"];

const AMOUNTS: &[&str] = &["amount", "amount_cents", "amount_usd", "total", "sum"];

/// What is about a payment without being one, and what only keeps the books.
const NO_PAYMENT: &[&str] = &[
    "method",
    "link",
    "intent",
    "plan",
    "profile",
    "reminder",
    "report",
    "history",
    "request",
    "receipt",
    "session",
    "record",
    "log",
    "track",
    "categorize",
    "note",
    "calculate",
    "simulate",
    "quote",
    "policy",
    "settings",
    "schedule",
    "status",
    "reason",
    "metadata",
];

/// Who is paid.
pub(super) fn payee<'a>(call: &'a Call<'_>) -> &'a str {
    audience::recipient(call).or_else(|| call.arguments.text(PAYEES)).unwrap_or("somebody")
}

pub(super) fn is_about(call: &Call<'_>) -> bool {
    let money = |word: &String| matches!(&**word, "money" | "payment" | "funds" | "transaction" | "transfer");
    naming::words(call.name.last).iter().any(money)
}

/// Money that leaves: sent, wired, paid out, given back, or sent elsewhere from now on. `create_payment_link` only asks
/// for some.
pub(super) fn leaves(call: &Call<'_>, operation: Operation) -> bool {
    let words = naming::words(call.name.whole);
    let has = |names: &[&str]| words.iter().any(|word| names.contains(&&**word));
    let own = naming::words(call.name.last);
    // `schedule_transfer` makes one, `update_payout_schedule` says when.
    if own.iter().enumerate().any(|(at, word)| NO_PAYMENT.contains(&&**word) && (at > 0 || word != "schedule")) {
        return false;
    }
    // From one's own account to one's own account: nothing leaves.
    if call.arguments.text(PAYEES).is_some_and(is_own) {
        return false;
    }
    if own.iter().any(|word| word == "click") && operation == Operation::Create {
        return true;
    }
    match operation {
        Operation::Create | Operation::Export | Operation::Execute => {
            has(&[
                "money",
                "funds",
                "payout",
                "wire",
                "withdrawal",
                "remittance",
                "crypto",
                "cryptocurrency",
                "payroll",
            ]) || has(&[
                "payment",
                "transfer",
                "transaction",
                "pay",
                "withdraw",
                "donate",
                "donation",
                "send",
                "refund",
            ]) && call.arguments.get(AMOUNTS).is_some()
                || has(&["eth", "btc", "usdc", "usdt", "sol", "erc20", "nft", "bitcoin", "ethereum"])
                    && has(&["send", "transfer", "withdraw"])
        }
        Operation::Update | Operation::Alter => {
            has(&["refund"])
                || has(&["transaction", "payment", "transfer", "standing", "beneficiary"])
                    && call.arguments.get(PAYEES).or_else(|| call.arguments.get(&["recipient", "to"])).is_some()
                || has(&["payroll", "payout", "salary", "deposit", "bank", "vendor", "supplier", "payee"])
                    && call.arguments.get(BANKS).is_some()
        }
        _ => false,
    }
}

fn is_own(account: &str) -> bool {
    matches!(&*account.to_ascii_lowercase(), "saving" | "savings" | "checking" | "current" | "deposit" | "investment")
}
