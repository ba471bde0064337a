// The API as the published types declare it: what each entry of the package exports, read from the declarations in dist/ with their comments.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript-6.0';

/** A doc comment, its tags apart. Texts are Markdown. */
export interface Comment {
  readonly text: string;
  readonly parameters: readonly { readonly name: string; readonly text: string }[];
  readonly returns: string | undefined;
  readonly throws: string | undefined;
}

export interface Member {
  readonly name: string;
  /** As it is declared, without its comment; of a function each overload. */
  readonly code: string;
  readonly comment: Comment;
}

export interface Declared extends Member {
  readonly kind: 'class' | 'function' | 'interface' | 'type' | 'constant';
  /** Of a class or an interface. */
  readonly members: readonly Member[];
  /** Whether a program can import it by its name. */
  readonly isExported: boolean;
}

export interface Entry {
  /** As it is imported: `webgpu-ctc/text`. */
  readonly name: string;
  /** Of its files in src/entries and dist, without an ending. */
  readonly file: string;
  /** What it is for, from the comment at the top of its source. */
  readonly summary: string;
  readonly declared: readonly Declared[];
  /** The entry before that exports the same. */
  readonly sameAs: string | undefined;
}

/** What all entries export, in the order of package.json. */
export function entriesOf(repository: string): Entry[] {
  const { name: library, exports } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, { types?: string }>;
  };
  const listed = Object.entries(exports).flatMap(([path, { types }]) =>
    types ? [{ name: path.replace('.', library), types: join(repository, types) }] : [],
  );
  const program = ts.createProgram(
    listed.map(({ types }) => types),
    // the names that are declared here are enough: nothing is checked
    { noLib: true, types: [], noResolve: false, moduleResolution: ts.ModuleResolutionKind.Bundler },
  );
  const checker = program.getTypeChecker();
  const modules = listed.map(({ name, types }) => {
    const source = program.getSourceFile(types);
    const symbol = source && checker.getSymbolAtLocation(source);
    if (!symbol) throw new Error(`${types}: expected a module with exports; is dist/ built?`);
    const exported = checker.getExportsOfModule(symbol).map((one) => meantBy(checker, one));
    return { name, exported, file: types.replace(/^.*[\\/]|\.d\.ts$/g, '') };
  });
  const importable = new Set(modules.flatMap(({ exported }) => exported));
  const entries: Entry[] = [];
  for (const { name, exported, file } of modules) {
    const declared = new Reader(checker, join(repository, 'dist'), importable).read(exported);
    const namesOf = (all: readonly Declared[]) => all.map((one) => one.name).join();
    entries.push({
      ...{ name, file, declared },
      summary: summaryOf(readFileSync(join(repository, 'src/entries', `${file}.ts`), 'utf8')),
      sameAs: entries.find((one) => namesOf(one.declared) === namesOf(declared))?.name,
    });
  }
  return entries;
}

/** What a name stands for, also where it was imported. */
const meantBy = (checker: ts.TypeChecker, symbol: ts.Symbol): ts.Symbol =>
  symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;

/** The comment at the top of a source. */
function summaryOf(source: string): string {
  const [, comment = ''] = /^\/\*\*([\s\S]*?)\*\//.exec(source) ?? [];
  return comment.replace(/^ *\* ?/gm, '').trim();
}

const order: Declared['kind'][] = ['class', 'function', 'constant', 'interface', 'type'];

type Members = ts.ClassElement | ts.TypeElement;

class Reader {
  readonly #found = new Map<ts.Symbol, Declared>();
  readonly #root: string;

  constructor(
    readonly checker: ts.TypeChecker,
    folder: string,
    /** What can be imported from any entry. */
    readonly importable: ReadonlySet<ts.Symbol>,
  ) {
    this.#root = ts.sys.resolvePath(folder);
  }

  /** The exports, and behind them what their types name and nobody can import. */
  read(exported: readonly ts.Symbol[]): Declared[] {
    for (const symbol of exported) this.#add(symbol);
    const rank = (one: Declared) => (one.isExported ? 0 : order.length) + order.indexOf(one.kind);
    return [...this.#found.values()].sort((a, b) => rank(a) - rank(b) || (a.name < b.name ? -1 : 1));
  }

  #add(symbol: ts.Symbol): void {
    const nodes = symbol.getDeclarations() ?? [];
    const [node] = nodes;
    if (!node || this.#found.has(symbol)) return;
    const add = (kind: Declared['kind'], code: string, members: readonly Member[] = []) => {
      const isExported = this.importable.has(symbol);
      this.#found.set(symbol, {
        name: symbol.name,
        kind,
        code,
        members,
        isExported,
        comment: commentOf(nodes),
      });
    };
    if (ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node)) {
      const { members, bases } = this.#membersOf(node);
      const kind = ts.isClassDeclaration(node) ? 'class' : 'interface';
      const names = [...new Set(members.map(({ name }) => name))];
      add(
        kind,
        headOf(node, bases),
        names.map((name) => {
          const same = members.filter((member) => member.name === name);
          return {
            name,
            code: same.map(({ code }) => code).join('\n'),
            comment: commentOf(same.map((one) => one.node)),
          };
        }),
      );
      for (const one of [...members.map((member) => member.node), ...bases]) this.#follow(one);
    } else if (ts.isTypeAliasDeclaration(node)) {
      const literals = this.#literalsOf(node);
      add('type', literals ? `type ${symbol.name} = ${literals};` : codeOf(node));
      if (!literals) this.#follow(node);
    } else {
      add(ts.isFunctionDeclaration(node) ? 'function' : 'constant', nodes.map(codeOf).join('\n'));
      for (const one of nodes) this.#follow(one);
    }
  }

  /** Adds what a declaration names of the library and nobody can import. */
  #follow(node: ts.Node): void {
    const isName =
      ts.isIdentifier(node) &&
      (ts.isTypeReferenceNode(node.parent) || ts.isExpressionWithTypeArguments(node.parent));
    const named = isName ? this.#ours(node) : undefined;
    if (named && !this.importable.has(named)) this.#add(named);
    ts.forEachChild(node, (child) => this.#follow(child));
  }

  /** What a name stands for, if the library declares it. */
  #ours(name: ts.Node): ts.Symbol | undefined {
    const symbol = this.checker.getSymbolAtLocation(name);
    const meant = symbol && meantBy(this.checker, symbol);
    const [node] = meant?.getDeclarations() ?? [];
    if (!meant || !node || ts.isTypeParameterDeclaration(node)) return undefined;
    return ts.sys.resolvePath(node.getSourceFile().fileName).startsWith(this.#root) ? meant : undefined;
  }

  /** The members of a class or an interface, with those of what it extends where nobody can import that; and what else it extends. */
  #membersOf(node: ts.ClassDeclaration | ts.InterfaceDeclaration): {
    members: { name: string; code: string; node: Members }[];
    bases: ts.ExpressionWithTypeArguments[];
  } {
    const members = [...node.members]
      .filter(isPublic)
      .map((member: Members) => ({ name: nameOf(member), code: codeOf(member), node: member }));
    const own = new Set(members.map(({ name }) => name));
    const bases: ts.ExpressionWithTypeArguments[] = [];
    for (const base of node.heritageClauses?.flatMap(({ types }) => [...types]) ?? []) {
      const symbol = this.#ours(base.expression);
      const [hidden] = symbol?.getDeclarations() ?? [];
      const isHidden = symbol && hidden && !this.importable.has(symbol);
      if (!isHidden || !(ts.isClassDeclaration(hidden) || ts.isInterfaceDeclaration(hidden))) {
        bases.push(base);
        continue;
      }
      const inherited = this.#membersOf(hidden);
      const given = new Map(
        hidden.typeParameters?.map(({ name }, i) => [
          name.text,
          base.typeArguments?.[i]?.getText() ?? name.text,
        ]),
      );
      for (const member of inherited.members)
        if (!own.has(member.name))
          members.push({
            ...member,
            code: member.code.replace(/\b[A-Z]\w*\b/g, (name) => given.get(name) ?? name),
          });
      bases.push(...inherited.bases);
    }
    return { members, bases };
  }

  /** Of a type that is made of a value, `keyof typeof strategies`: what it can be. */
  #literalsOf(node: ts.TypeAliasDeclaration): string | undefined {
    if (!/\btypeof [a-z]/.test(node.type.getText()) || node.typeParameters) return undefined;
    const type = this.checker.getTypeAtLocation(node);
    const each = type.isUnion() ? type.types : [type];
    if (!each.every((one) => one.isStringLiteral())) return undefined;
    return each.map((one) => `'${one.value}'`).join(' | ');
  }
}

const isPublic = (member: Members) =>
  !(member.name && ts.isPrivateIdentifier(member.name)) &&
  !(ts.getCombinedModifierFlags(member) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected));

const nameOf = (member: Members) =>
  member.name?.getText() ?? (ts.isConstructorDeclaration(member) ? 'constructor' : member.getText());

/** `class CtcLoss<R extends Reduction = Reduction>`, with what it extends of what can be imported. */
function headOf(
  node: ts.ClassDeclaration | ts.InterfaceDeclaration,
  bases: readonly ts.ExpressionWithTypeArguments[],
): string {
  const kind = ts.isClassDeclaration(node) ? 'class' : 'interface';
  const parameters = node.typeParameters?.map((one) => one.getText()).join(', ');
  const extended = bases.map((one) => one.getText()).join(', ');
  return `${kind} ${node.name?.text}${parameters ? `<${parameters}>` : ''}${extended ? ` extends ${extended}` : ''}`;
}

/** A declaration as it is written, at the margin. */
function codeOf(node: ts.Node): string {
  const statement =
    ts.isVariableDeclaration(node) && node.parent.parent.kind === ts.SyntaxKind.VariableStatement
      ? node.parent.parent
      : node;
  const text = statement.getText().replace(/^(export |declare )+/, '');
  const lines = text.split('\n');
  const margin = Math.min(
    ...lines.slice(1).flatMap((line) => (line.trim() ? [/^ */.exec(line)![0].length] : [])),
  );
  return lines
    .map((line, i) => (i === 0 ? line : line.slice(margin === Number.POSITIVE_INFINITY ? 0 : margin)))
    .join('\n');
}

/** The comment of a declaration; of overloads the first that has one. */
function commentOf(nodes: readonly ts.Node[]): Comment {
  const documented = nodes
    .map((node) => (ts.isVariableDeclaration(node) ? node.parent.parent : node))
    .find((node) => ts.getJSDocCommentsAndTags(node).length > 0);
  const comment = documented && ts.getJSDocCommentsAndTags(documented).find(ts.isJSDoc);
  const textOf = (part: ts.JSDoc | ts.JSDocTag) => (ts.getTextOfJSDocComment(part.comment) ?? '').trim();
  const tags: ts.JSDocTag[] = [...(comment?.tags ?? [])];
  const textOfTag = (name: string) => {
    const tag = tags.find(({ tagName }) => tagName.text === name);
    return tag && textOf(tag);
  };
  return {
    text: comment ? textOf(comment) : '',
    parameters: tags
      .filter(ts.isJSDocParameterTag)
      .map((tag) => ({ name: tag.name.getText(), text: textOf(tag).replace(/^-\s*/, '') })),
    returns: textOfTag('returns'),
    throws: throwsOf(comment),
  };
}

/** The parser takes the first word of `@throws` for a type; here it begins a sentence. */
function throwsOf(comment: ts.JSDoc | undefined): string | undefined {
  const tag = comment?.tags?.find(({ tagName }) => tagName.text === 'throws');
  return tag
    ?.getText()
    .replace(/^@throws\s*/, '')
    .replace(/\n\s*\* ?/g, '\n')
    .replace(/\s*\*?\/?\s*$/, '')
    .trim();
}
