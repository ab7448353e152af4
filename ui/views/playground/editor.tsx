/**
 * A YAML editor with markers, completion and help. The editor is in a shadow root, in which CodeMirror can adopt its
 * style sheets. Outside a shadow root, CodeMirror would write `<style>` elements, which the page's Content Security
 * Policy forbids.
 */
import { autocompletion, type CompletionContext, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, lintGutter, setDiagnostics } from '@codemirror/lint';
import { EditorState, Prec, StateEffect, StateField } from '@codemirror/state';
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  hoverTooltip,
  keymap,
  lineNumbers,
} from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Marker } from '../../model/play-result.ts';
import { meaningAt, suggestionsAt } from '../../model/yaml-fields.ts';

interface EditorProps {
  readonly label: string;
  /** The ID of an element that describes the editor. */
  readonly describedBy: string;
  readonly text: string;
  /**
   * A counter of the texts that come from outside the editor. The editor takes over `text` only when the counter
   * `loaded` changes.
   */
  readonly loaded: number;
  onChange(text: string): void;
  readonly markers: readonly Marker[];
  /** The line to which the editor moves. The editor moves to the line whenever it receives a new `reveal` object. */
  readonly reveal?: { readonly line: number } | undefined;
}

export function Editor({ label, text, loaded, onChange, markers, reveal, describedBy }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | undefined>(undefined);
  const change = useRef(onChange);
  change.current = onChange;
  // Layout effects change text, markers and focus in the same frame as the rest of the page. With a later effect, the
  // user could press a key before the change.
  useLayoutEffect(() => {
    const element = host.current as HTMLDivElement;
    const root = element.shadowRoot ?? element.attachShadow({ mode: 'open' });
    const editor = new EditorView({
      parent: root as unknown as HTMLElement,
      root,
      state: stateOf(text, label, change),
    });
    view.current = editor;
    return () => editor.destroy();
  }, []);
  useLayoutEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
    // A typed text comes back from the caller as `text`. The user may have typed more by then, so `text` must not
    // replace the editor's content.
  }, [loaded]);
  useLayoutEffect(() => show(view.current, markers), [markers]);
  useLayoutEffect(() => {
    const editor = view.current;
    if (!editor || !reveal) return;
    const { from } = editor.state.doc.line(Math.min(reveal.line, editor.state.doc.lines));
    editor.dispatch({ selection: { anchor: from }, effects: EditorView.scrollIntoView(from, { y: 'center' }) });
    editor.focus();
  }, [reveal]);
  return <div class="editor" ref={host} aria-describedby={describedBy} />;
}

function stateOf(text: string, label: string, change: { readonly current: (text: string) => void }): EditorState {
  return EditorState.create({
    doc: text,
    extensions: [
      replacing,
      lineNumbers(),
      lintGutter(),
      history(),
      drawSelection(),
      indentOnInput(),
      indentUnit.of('  '),
      bracketMatching(),
      highlightActiveLine(),
      yaml(),
      syntaxHighlighting(COLOURS),
      marked,
      autocompletion({ override: [complete], icons: false, activateOnCompletion: () => true }),
      hoverTooltip(help),
      Prec.high(keymap.of([...completionKeymap])),
      // After Escape, the next Tab leaves the editor.
      keymap.of([...defaultKeymap, ...historyKeymap, indentWithTab]),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) change.current(update.state.doc.toString());
      }),
      LOOK,
    ],
  });
}

/**
 * Replaces a selection before the browser does. On coloured text, the browser would write a `style` attribute, which
 * the Content Security Policy refuses.
 */
const replacing = EditorView.domEventHandlers({
  beforeinput(event, view) {
    if (event.inputType !== 'insertText' || event.data === null || view.state.selection.main.empty) return false;
    event.preventDefault();
    view.dispatch(view.state.replaceSelection(event.data), { userEvent: 'input.type', scrollIntoView: true });
    return true;
  },
});

function complete(context: CompletionContext) {
  const found = suggestionsAt(context.state.doc.toString(), context.pos);
  if (!found || (!context.explicit && found.from === context.pos && !isAfterBegin(context))) return null;
  return {
    from: found.from,
    options: found.options.map(({ label, type, meaning, apply }) => ({
      label,
      detail: type === 'value' ? '' : type,
      apply,
      ...(meaning !== '' && { info: meaning }),
    })),
    validFor: /^[\w.*/-]*$/,
  };
}

/**
 * Whether the cursor is at the beginning of a value. At the beginning of a value, the choices are shown before the user
 * types the first letter.
 */
function isAfterBegin({ state, pos }: CompletionContext): boolean {
  return /[[,:] ?$/.test(state.sliceDoc(Math.max(0, pos - 2), pos));
}

function help(view: EditorView, offset: number) {
  const meaning = meaningAt(view.state.doc.toString(), offset);
  if (!meaning) return null;
  return {
    pos: meaning.from,
    end: meaning.to,
    above: true,
    create() {
      const dom = document.createElement('div');
      dom.className = 'help';
      const title = document.createElement('b');
      title.textContent = meaning.title;
      const text = document.createElement('div');
      text.textContent = meaning.text;
      dom.append(title, text);
      return { dom };
    },
  };
}

const setMarked = StateEffect.define<DecorationSet>();
/** Colours the lines that have markers. The worst marker of a line determines the colour. */
const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (lines, transaction) =>
    transaction.effects.reduce(
      (now, effect) => (effect.is(setMarked) ? effect.value : now),
      lines.map(transaction.changes),
    ),
  provide: (field) => EditorView.decorations.from(field),
});

function show(editor: EditorView | undefined, markers: readonly Marker[]): void {
  if (!editor) return;
  const { doc } = editor.state;
  // The text may have become shorter since the markers were computed.
  const within = markers.filter(({ line }) => line <= doc.lines);
  const diagnostics = within.map(({ line, column, endColumn, severity, message }): Diagnostic => {
    const { from, to, text } = doc.line(line);
    const start = Math.min(to, column === undefined ? from + (/^\s*/.exec(text)?.[0].length ?? 0) : from + column - 1);
    const end = Math.max(start, Math.min(to, endColumn === undefined ? to : from + endColumn - 1));
    return { from: start, to: end, severity, message };
  });
  const worst = new Map<number, Marker['severity']>();
  for (const { line, severity } of within.toSorted((a, b) => RANK.indexOf(b.severity) - RANK.indexOf(a.severity)))
    worst.set(line, severity);
  const lines = [...worst]
    .filter(([, severity]) => severity !== 'info')
    .map(([line, severity]) => Decoration.line({ class: `marked-${severity}` }).range(doc.line(line).from));
  editor.dispatch({ effects: setMarked.of(Decoration.set(lines, true)) }, setDiagnostics(editor.state, diagnostics));
}

const RANK: readonly Marker['severity'][] = ['error', 'warning', 'info'];

/** The colours are custom properties of the page, which also apply in the shadow root. */
const COLOURS = HighlightStyle.define([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], color: 'var(--accent)' },
  { tag: [tags.string, tags.content], color: 'var(--text)' },
  { tag: [tags.number, tags.bool, tags.keyword], color: 'var(--unknown)' },
  { tag: tags.comment, color: 'var(--quiet)' },
  { tag: [tags.separator, tags.punctuation, tags.bracket, tags.meta], color: 'var(--quiet)' },
]);

const LOOK = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--background)', height: '100%', fontSize: '13px' },
  '&.cm-focused': { outline: '2px solid var(--accent)', outlineOffset: '-1px' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.55' },
  '.cm-gutters': { color: 'var(--quiet)', backgroundColor: 'var(--raised)', borderRight: '1px solid var(--line)' },
  '.cm-activeLine': { backgroundColor: 'color-mix(in srgb, var(--accent) 7%, transparent)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-selectionBackground, &.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground': {
    background: 'color-mix(in srgb, var(--accent) 28%, transparent)',
  },
  '.cm-content ::selection': { backgroundColor: 'transparent' },
  '.marked-error': { backgroundColor: 'color-mix(in srgb, var(--critical) 12%, transparent)' },
  '.marked-warning': { backgroundColor: 'color-mix(in srgb, var(--warning) 12%, transparent)' },
  '.cm-tooltip': {
    color: 'var(--text)',
    backgroundColor: 'var(--raised)',
    border: '1px solid var(--control-line)',
    borderRadius: '4px',
    maxWidth: '36rem',
  },
  '.cm-tooltip .help, .cm-completionInfo': { padding: '0.4rem 0.6rem', whiteSpace: 'pre-wrap', maxWidth: '30rem' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', maxHeight: '14rem' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { color: 'var(--background)', backgroundColor: 'var(--accent)' },
  '.cm-completionDetail': { color: 'inherit', opacity: '0.85', fontStyle: 'normal' },
  '.cm-diagnostic': { whiteSpace: 'pre-wrap' },
  '.cm-diagnostic-error': { borderLeftColor: 'var(--critical)' },
  '.cm-diagnostic-warning': { borderLeftColor: 'var(--warning)' },
});
