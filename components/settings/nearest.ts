import { distance } from "fastest-levenshtein";

/** Which of some words is most like one that may be misspelled; the first of those that are equally like it. @param words one at least */
export function nearest<T extends string>(word: string, words: readonly T[]): T {
  return words.reduce((best, one) => (distance(word, one) < distance(word, best) ? one : best));
}
