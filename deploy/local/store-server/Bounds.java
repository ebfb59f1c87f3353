import de.bwaldvogel.mongo.bson.Document;

/**
 * Between which encoded values the entries are that a query's range of one field can want, both ends included. Exact: none of
 * them has a value outside the range.
 */
record Bounds(String from, String to, boolean isExact) {
  private static final char HIGHEST = '\uffff';
  static final Bounds NONE = new Bounds("", String.valueOf(HIGHEST), false);

  /** A range holds values of one type. */
  static Bounds of(Document query, String field) {
    Object low = Condition.from(query, field);
    Object high = Condition.to(query, field);
    if (low == null && high == null) {
      return NONE;
    }
    // Whether the bound itself is wanted is only told from the encoded value where all of a type are of one length.
    boolean isExact = !(low instanceof String) && !(high instanceof String) && Condition.isRange(query, field);
    String type = SortedIndex.encoded(low != null ? low : high).substring(0, 1);
    String behindLow = isExact && Condition.has(query, field, "$gt") ? SortedIndex.AFTER_END : "";
    String behindHigh = isExact && Condition.has(query, field, "$lt") ? "" : SortedIndex.AFTER_END;
    String from = low == null ? type : SortedIndex.encoded(low) + behindLow;
    String to = high == null ? type + HIGHEST : SortedIndex.encoded(high) + behindHigh;
    return new Bounds(from, to, isExact);
  }
}
