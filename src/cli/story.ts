/**
 * The part of the demo that shows what attention does: "it" looks at "cat", "bank" at "money".
 * @module
 */
import {
  type HeadChoice,
  type HeadMap,
  headMap,
  placeOf,
  strongestHead,
  strongestPerLayer,
} from '../explain/head.ts'
import { heatmap } from '../explain/heatmap.ts'
import { linksOf } from '../explain/links.ts'
import { paint } from '../explain/palette.ts'
import { type RecordedSentence, type Recording, sentenceOf } from '../explain/recording.ts'
import { colourOf } from '../explain/shade.ts'
import { attentionWeights } from '../index.ts'
import { type Terminal, wrap } from './terminal.ts'

/** A sentence and the weights of its layers, [heads, tokens, tokens] each. */
interface Seen {
  readonly sentence: RecordedSentence
  readonly layers: readonly Float32Array[]
}

/** Prints the sentences and who looks at whom in them. */
export async function tellStory(recording: Recording, terminal: Terminal): Promise<void> {
  const tired = see(sentenceOf(recording, 'tired'))
  const wide = see(sentenceOf(recording, 'wide'))
  const bank = see(sentenceOf(recording, 'bank'))
  const cat = strongestHead(tired.layers, tired.sentence.tokens, 'it', 'cat')
  const money = strongestHead(bank.layers, bank.sentence.tokens, 'bank', 'money')

  await terminal.print(
    '',
    ...title(terminal, 'Who does "it" mean?', tired),
    '',
    ...wholeMap(tired, cat, terminal),
  )
  await terminal.print(
    '',
    ...title(terminal, 'One word changed:', wide),
    '',
    ...oneRow(wide, cat, 'it', terminal),
  )
  await terminal.print('', ...layerTable(tired, wide, terminal))
  await terminal.print(
    '',
    ...title(terminal, 'Which kind of bank?', bank),
    '',
    ...oneRow(bank, money, 'bank', terminal),
  )
}

function see(sentence: RecordedSentence): Seen {
  const layers = sentence.layers.map(({ q, k, v }) => attentionWeights(q, k, v).weights!.data as Float32Array)
  return { sentence, layers }
}

function title(terminal: Terminal, question: string, seen: Seen): string[] {
  return wrap(`${question} "${seen.sentence.text}"`, terminal.width).map(line => terminal.bold(line))
}

function wholeMap(seen: Seen, choice: HeadChoice, terminal: Terminal): string[] {
  const map = mapOf(seen, choice)
  const of = `${seen.layers.length} layers of ${seen.sentence.layers[0].q.dims[1]} heads, counted from 0`
  const ink = terminal.palette === 'none' ? ' Ink stands for them too: " .:-=+*#%@" is none to all.' : ''
  const about = `The head in which "it" looks hardest at "cat": layer ${choice.layer}, head ${choice.head} (of ${of}). Rows look at columns, in percent.${ink} Many rows rest on [CLS], as is usual in such models.`
  return [
    ...heatmap(map, { ...terminal, mark: placeOf(map.tokens, 'it') }),
    '',
    ...wrap(about, terminal.width).map(line => terminal.dim(line)),
    '',
    ...lookLines(map, 'it', choice, terminal),
  ]
}

function oneRow(seen: Seen, choice: HeadChoice, token: string, terminal: Terminal): string[] {
  const map = mapOf(seen, choice)
  const row = placeOf(map.tokens, token)
  return [
    ...heatmap(map, { ...terminal, rows: [row], mark: row }),
    '',
    ...lookLines(map, token, choice, terminal),
  ]
}

function mapOf(seen: Seen, choice: HeadChoice): HeadMap {
  return headMap(seen.layers[choice.layer], choice.head, seen.sentence.tokens)
}

/** "it" looks at: cat 77%, [CLS] 8%, ... (layer 3, head 1) */
function lookLines(map: HeadMap, token: string, { layer, head }: HeadChoice, terminal: Terminal): string[] {
  const links = linksOf(map, placeOf(map.tokens, token)).slice(0, 4)
  const said = links.map(link => `${map.tokens[link.to]} ${percent(link.weight)}`)
  const text = `"${token}" looks at: ${said.join(', ')} (layer ${layer}, head ${head})`
  return wrap(text, terminal.width).map(line => line.replace(said[0], terminal.bold(said[0])))
}

/** How much "it" looks at the two nouns, layer by layer, for both endings. */
function layerTable(tired: Seen, wide: Seen, terminal: Terminal): string[] {
  const margin = 7
  const column = Math.floor((terminal.width - margin) / 4)
  const look = (seen: Seen, to: string): HeadChoice[] =>
    strongestPerLayer(seen.layers, seen.sentence.tokens, 'it', to)
  const columns = [look(tired, 'cat'), look(tired, 'street'), look(wide, 'cat'), look(wide, 'street')]
  const heads = ['cat', 'street', 'cat', 'street'].map(name => name.padEnd(column)).join('')
  return [
    ...wrap(
      'Layer by layer, how much "it" looks at either noun (the strongest of 12 heads):',
      terminal.width,
    ),
    '',
    `${' '.repeat(margin)}${'... too tired'.padEnd(2 * column)}... too wide`,
    `layer  ${heads}`.trimEnd(),
    ...tired.layers.map((_, layer) => {
      const bars = columns.map(choices => bar(choices[layer].weight, column, terminal))
      return `${String(layer).padStart(margin - 2)}  ${bars.join('')}`.trimEnd()
    }),
  ]
}

function bar(weight: number, width: number, terminal: Terminal): string {
  const full = Math.max(0, width - 6)
  const length = Math.round(weight * full)
  const drawn =
    terminal.palette === 'none'
      ? '#'.repeat(length)
      : paint(terminal.palette, ' '.repeat(length), { ground: colourOf(weight) })
  return `${percent(weight).padStart(3)} ${drawn}${' '.repeat(width - 4 - length)}`
}

function percent(weight: number): string {
  return `${Math.round(weight * 100)}%`
}
