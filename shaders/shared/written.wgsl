// Words are whatever reads as they do: a class goes on by what it reads as, and the end of a word is a space. Its other form is spelled.wgsl.

/// Ways in which a class goes on, and words that can end in one node.
fn choices() -> u32 { return 1u; }
fn exits() -> u32 { return 1u; }

/// The exits that a class may take: none, since there is one at most.
fn choice(label: u32, node: u32, x: u32) -> i32 { return -1; }
fn isChoice(label: u32, node: u32, x: u32) -> bool { return x == 0u; }

/// Goes on by a class, and says what that adds.
fn goOn(label: u32, exit: i32) -> f32 {
  var sum = 0.0;
  // a token's own word comes first, then what it reads as; a space ends a word, whose node says which
  if (has(LABELS)) { mix(label + 1u); }
  var at = wordAt(SYMBOL_START, label);
  let end = wordAt(SYMBOL_START, label + 1u);
  if (has(TOKENS)) { sum += numberAt(CLASS_PRICE, label); }
  var isToken = has(TOKENS);
  while (isToken || at < end) {
    let symbol = select(wordAt(SYMBOLS, at), OTHER, isToken);
    var id = NO_WORD;
    if (isToken) {
      id = wordAt(CLASS_WORD, label);
    } else if (symbol == SPACE) {
      at++;
      let node = own.node;
      if (node == 0u) { continue; }
      let exit = wordAt(EXIT_START, node);
      own.node = 0u;
      if (exit >= wordAt(EXIT_START, node + 1u)) { return IMPOSSIBLE; }
      sum += numberAt(EXIT_PRICE, exit) - numberAt(AHEAD, node);
      if (has(LM) && !has(TOKENS)) { id = wordAt(EXIT_WORD, exit); }
      own.baseLow = own.low;
      own.baseHigh = own.high;
    } else {
      at++;
      sum += letter(symbol);
    }
    if (id != NO_WORD) { sum += word(id); }
    if (isToken) { isToken = false; continue; }
    if (!has(LABELS)) { mix(symbol); }
    if (has(HOTWORDS)) { sum += hear(symbol); }
    if (sum < IMPOSSIBLE) { return IMPOSSIBLE; }
  }
  return sum;
}

/// The text ends here.
fn endOf(exit: u32) -> f32 {
  var sum = 0.0;
  var words = u32(has(LM));
  if (own.node != 0u) {
    let node = own.node;
    let at = wordAt(EXIT_START, node) + exit;
    if (at >= wordAt(EXIT_START, node + 1u)) { return IMPOSSIBLE; }
    sum += numberAt(EXIT_PRICE, at) - numberAt(AHEAD, node);
    if (has(HOTWORDS)) { sum += hear(SPACE); }
    var id = wordAt(EXIT_WORD, at);
    if (has(TOKENS)) { id = knowledge[LM_END]; } else { words *= 2u; }
    for (; words > 0u; words--) {
      sum += word(id);
      id = knowledge[LM_END];
    }
  } else if (words > 0u) { sum += word(knowledge[LM_END]); }
  if (has(HOTWORDS)) { sum += numberAt(HOT_END, own.hot) - numberAt(HOT_WORTH, own.hot); }
  return sum;
}
