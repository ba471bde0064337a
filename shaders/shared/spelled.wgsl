// Words are sequences of classes of their own. Where several end in one node, a text goes on as each of them: by an exit. Its other form is
// written.wgsl.

/// Ways in which a class goes on, and words that can end in one node.
fn choices() -> u32 { return exits() + u32(has(ADJACENT)); }
fn exits() -> u32 { return max(1u, knowledge[MOST_EXITS]); }

/// Choice x of a class: −1, to go on within a word, or the exit of a word before it.
fn choice(label: u32, node: u32, x: u32) -> i32 {
  if (label == knowledge[DELIMITER]) { return select(i32(x), -1, node == 0u); }
  return i32(x) - 1;
}

fn isChoice(label: u32, node: u32, x: u32) -> bool {
  if (label == knowledge[DELIMITER]) { return x < max(exitsOf(node), u32(node == 0u)); }
  return x == 0u || (has(ADJACENT) && x <= exitsOf(node));
}

/// The word ends: the text is then its words, however they are spelled.
fn leave(exit: u32) -> f32 {
  let node = own.node;
  let at = wordAt(EXIT_START, node) + exit;
  own.node = 0u;
  if (at >= wordAt(EXIT_START, node + 1u)) { return IMPOSSIBLE; }
  var sum = numberAt(EXIT_PRICE, at) - numberAt(AHEAD, node);
  if (has(LM)) { sum += word(wordAt(EXIT_WORD, at)); }
  let name = wordAt(EXIT_NAME, at);
  if (name != NO_WORD) {
    own.low = own.baseLow;
    own.high = own.baseHigh;
  }
  mix(select(name + 0x1000000u, 1u, name == NO_WORD));
  own.baseLow = own.low;
  own.baseHigh = own.high;
  if (has(HOTWORDS)) {
    var i = 0u;
    var end = 1u;
    if (name != NO_WORD) {
      i = wordAt(LETTER_START, name);
      end = wordAt(LETTER_START, name + 1u);
    }
    for (; i <= end; i++) {
      var symbol = OTHER;
      if (i == end) { symbol = SPACE; } else if (name != NO_WORD) { symbol = wordAt(LETTERS, i); }
      sum += hear(symbol);
    }
  }
  return sum;
}

/// Goes on by a class, after the end of a word if there is an exit, and says what that adds.
fn goOn(label: u32, exit: i32) -> f32 {
  var sum = 0.0;
  if (exit >= 0) { sum = leave(u32(exit)); }
  if (label == knowledge[DELIMITER] || sum < 0.5 * IMPOSSIBLE) { return sum; }
  mix(label + 2u);
  return sum + letter(label + 2u);
}

/// The text ends here.
fn endOf(exit: u32) -> f32 {
  var sum = 0.0;
  if (own.node != 0u) { sum = leave(exit); }
  if (sum < 0.5 * IMPOSSIBLE) { return IMPOSSIBLE; }
  if (has(LM)) { sum += word(knowledge[LM_END]); }
  if (has(HOTWORDS)) { sum += numberAt(HOT_END, own.hot) - numberAt(HOT_WORTH, own.hot); }
  return sum;
}
