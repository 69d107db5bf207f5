/** The answer of what does nothing, with the reason. Callers tell it by `'refused' in answer`. */
export interface Refused<Reason = string> {
  refused: Reason;
}
