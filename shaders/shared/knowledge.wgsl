// What is known of a text while it grows: the trie of words, the language model, the hotwords, and the hash by which it is told from
// others. The tables and the steps are those of src/lm/tables.ts and src/lm/knowledge.ts.

@group(0) @binding(3) var<storage, read> knowledge: array<u32>;

// numbers at the beginning of the tables
const FLAGS = 0u; const LM_BEGIN = 1u; const LM_END = 2u; const DELIMITER = 3u; const MOST_EXITS = 4u;
const MOST_FIRST = 5u; const MOST_LEAVING = 6u; const MOST_HEARD = 7u; const MOST_TOKEN = 8u;
// where an array begins
const KINDS = 9u; const SYMBOL_START = 10u; const SYMBOLS = 11u; const CLASS_WORD = 12u; const CLASS_PRICE = 13u;
const NODE_START = 14u; const NODE_SYMBOL = 15u; const NODE_NEXT = 16u; const AHEAD = 17u;
const EXIT_START = 18u; const EXIT_WORD = 19u; const EXIT_PRICE = 20u; const EXIT_NAME = 21u; const LETTER_START = 22u; const LETTERS = 23u;
const LM_START = 24u; const LM_WORD = 25u; const LM_NEXT = 26u; const LM_LOG = 27u; const LM_FAIL = 28u; const LM_FAIL_LOG = 29u;
const HOT_START = 30u; const HOT_SYMBOL = 31u; const HOT_NEXT = 32u; const HOT_FAIL = 33u;
const HOT_GAIN = 34u; const HOT_WORTH = 35u; const HOT_END = 36u; const HOT_MOST = 37u;

const LABELS = 1u; const TOKENS = 4u; const LM = 16u; const HOTWORDS = 32u; const ADJACENT = 64u;
const SPACE = 0u; const OTHER = 1u; const NO_WORD = 0xffffffffu; const NONE = 0xffffffffu;
/// Below everything that is possible.
const IMPOSSIBLE = -1e30;

/// `low`, `high`: bits of the text; `baseLow`, `baseHigh`: of the text up to its last space.
struct Text { low: u32, high: u32, baseLow: u32, baseHigh: u32, node: u32, lm: u32, hot: u32 }

/// The text that the functions go on with.
var<private> own: Text;

fn wordAt(table: u32, i: u32) -> u32 { return knowledge[knowledge[table] + i]; }
fn numberAt(table: u32, i: u32) -> f32 { return bitcast<f32>(knowledge[knowledge[table] + i]); }

fn has(flag: u32) -> bool { return (knowledge[FLAGS] & flag) != 0u; }

/// The node of what is in no word.
fn outside() -> u32 { return knowledge[EXIT_START] - knowledge[AHEAD] - 1u; }

/// Where a key is among those from `first` to before `end`, which ascend.
fn find(table: u32, key: u32, first: u32, end: u32) -> u32 {
  let start = knowledge[table];
  var low = first;
  var beyond = end;
  while (low < beyond) {
    let middle = (low + beyond) / 2u;
    if (knowledge[start + middle] < key) { low = middle + 1u; } else { beyond = middle; }
  }
  return select(NONE, low, low < end && knowledge[start + low] == key);
}

fn mix(value: u32) {
  let low = (own.low ^ value) * 0x9e3779b1u;
  let high = (own.high ^ (value + 0x165667b1u)) * 0x85ebca77u;
  own.low = low ^ (low >> 15u) ^ high;
  own.high = high ^ (high >> 13u) ^ (low * 0xc2b2ae3du);
}

fn begin() {
  own = Text(0x9e3779b9u, 0x7f4a7c15u, 0x9e3779b9u, 0x7f4a7c15u, 0u, knowledge[LM_BEGIN], 0u);
}

/// Words that can end in a node.
fn exitsOf(node: u32) -> u32 {
  return select(wordAt(EXIT_START, node + 1u) - wordAt(EXIT_START, node), 0u, node == 0u);
}

/// Goes on by a letter, and says by how much the best word ahead is worse.
fn letter(symbol: u32) -> f32 {
  let node = own.node;
  own.node = outside();
  if (node != own.node) {
    let at = find(NODE_SYMBOL, symbol, wordAt(NODE_START, node), wordAt(NODE_START, node + 1u));
    if (at != NONE) { own.node = wordAt(NODE_NEXT, at); }
  }
  let ahead = numberAt(AHEAD, own.node);
  return select(ahead - numberAt(AHEAD, node), IMPOSSIBLE, ahead < IMPOSSIBLE);
}

/// What the model gives a word, and on to the context behind it.
fn word(id: u32) -> f32 {
  var sum = 0.0;
  var context = own.lm;
  var at = id;
  while (context != 0u) {
    at = find(LM_WORD, id, wordAt(LM_START, context), wordAt(LM_START, context + 1u));
    if (at != NONE) { break; }
    sum += numberAt(LM_FAIL_LOG, context);
    context = wordAt(LM_FAIL, context);
    at = id;
  }
  own.lm = wordAt(LM_NEXT, at);
  return sum + numberAt(LM_LOG, at);
}

/// What a symbol changes in what the hotwords are worth.
fn hear(symbol: u32) -> f32 {
  let before = numberAt(HOT_WORTH, own.hot);
  var sum = 0.0;
  var state = own.hot;
  loop {
    let at = find(HOT_SYMBOL, symbol, wordAt(HOT_START, state), wordAt(HOT_START, state + 1u));
    if (at != NONE) { own.hot = wordAt(HOT_NEXT, at); break; }
    if (state < 2u) { own.hot = select(1u, 0u, symbol == SPACE); break; }
    sum += numberAt(HOT_GAIN, state);
    state = wordAt(HOT_FAIL, state);
  }
  return sum + numberAt(HOT_WORTH, own.hot) - before;
}
