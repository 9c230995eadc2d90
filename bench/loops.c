/*
 * Native versions of the bench's three loops: nested walks, FLUSH_STAGE2, DC CISW by set and way. One core, three fixed levels
 * (32 KiB of 4 ways, 2 MiB of 16, 16 MiB of 16; inclusive, lru, lines of 64 bytes that carry their bytes), every constant known
 * to the compiler. It plays the records that the kernel plays and prints the same counters.
 *
 *   loops WALK IPA MACHINES SETUP PLAYED    entries of both walk caches; how many machines; files of bare records
 *
 * Each machine plays SETUP; then the time is taken in which all of them play PLAYED. README.md says what is left out here.
 *
 * Built with -DHAZARDS it also does what docs/semantics.md asks for beside the caches, for these records: memory's truth, compared
 * with whatever is observed (D31) and looked at where a copy goes (D32); marks of set/way loops (D33); maintenance that no barrier
 * has completed (D34); events by requester (D36). None of these loops has a hazard, so it ends where it meets one.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

typedef uint8_t u8;
typedef uint32_t u32;
typedef uint64_t u64;

#define MEMORY (1ull << 32)
#define LINE 64
#define SETS1 128
#define WAYS1 4
#define SETS2 2048
#define WAYS2 16
#define SETS3 16384
#define WAYS3 16

enum { LOADS, STORES, LOAD_MISSES, STORE_MISSES, WB_IN, WB_OUT, EVICTIONS, PROBES, BACK_INVALIDATIONS, CACHE_COUNTERS };
static const char *const cache_names[] = {"loads", "stores", "loadMisses", "storeMisses", "writebacksIn",
  "writebacksOut", "evictions", "maintenanceProbes", "backInvalidations"};
enum { MEMORY_READS, MEMORY_WRITES, WALK_READS, FLUSHED_LEAVES, FLUSHED_LINES, MAINTENANCE, LOOKUPS, MICRO_MISSES, MAIN_MISSES,
  WALK_HITS, IPA_HITS, COUNTERS };
static const char *const names[] = {"memoryReads", "memoryWrites", "walkReads", "flushedLeaves", "flushedLines", "maintenance",
  "lookups", "microMisses", "mainMisses", "walkHits", "ipaHits"};

/* A level: tags (line number + 1, 0: invalid), dirty bits, stamps of last use, bytes. */
#define LEVEL(n) \
  struct level##n { u32 tag[SETS##n][WAYS##n]; u8 dirty[SETS##n][WAYS##n]; u32 stamp[SETS##n][WAYS##n]; \
    u8 data[SETS##n][WAYS##n][LINE]; u64 count[CACHE_COUNTERS]; u32 clock; };
LEVEL(1) LEVEL(2) LEVEL(3)

#define MICRO 16
#define MAIN_SETS 128
#define MAIN_WAYS 4
#define HELD_MAX 1024

/* A fully associative cache of translations: keys apart from the rest, so that a search is one vector loop. 0: invalid. */
struct held { u64 key[HELD_MAX]; u64 stamp[HELD_MAX]; u64 value[HELD_MAX]; };

enum { R_SCTLR, R_TCR, R_TTBR0, R_TTBR1, R_MAIR, R_HCR = 16, R_VTCR, R_VTTBR, R_CONTEXT, REGISTERS };

enum { MAINTAINED, WRITEBACK, WALK, TLB_HIT, HIT1, HIT2, HIT3, FROM_MEMORY, EVENTS };

struct machine {
  struct level1 l1; struct level2 l2; struct level3 l3;
  u8 *memory;
  u64 count[COUNTERS];
  struct held micro, walk, ipa;
  u64 main_key[MAIN_SETS][MAIN_WAYS], main_stamp[MAIN_SETS][MAIN_WAYS], main_value[MAIN_SETS][MAIN_WAYS];
  u64 clock;
  u64 reg[REGISTERS];
  u64 observed;
#ifdef HAZARDS
  u8 *truth;                    /* what memory would hold without caches */
  u32 *stamp;                   /* by page of 4 KiB: the batch of maintenance that named it last */
  u32 batch, stamped, diverged; /* open batch; whether there was any; whether something has been stored past the caches */
  u8 is_true[SETS1][WAYS1];     /* copies of level 1 that are known to equal the truth */
  u64 marks[(SETS1 * WAYS1 + SETS2 * WAYS2) / 64];
  u32 unmarked, left_dirty;
  u64 events[EVENTS];
#endif
};

static u32 walk_entries, ipa_entries;

static void die(const char *why) { fprintf(stderr, "loops: %s\n", why); exit(1); }

/* ---- caches */

#define OPERATIONS(n) \
  static inline int probe##n(const struct level##n *c, u32 line) { \
    const u32 *tag = c->tag[line & (SETS##n - 1)]; int way = -1; \
    for (int w = 0; w < WAYS##n; w++) if (tag[w] == line + 1) way = w; \
    return way; } \
  static inline void touch##n(struct level##n *c, u32 set, int way) { c->stamp[set][way] = ++c->clock; } \
  static inline int choose##n(const struct level##n *c, u32 set) { \
    int best = 0; \
    for (int w = 0; w < WAYS##n; w++) { \
      if (!c->tag[set][w]) return w; \
      if (c->stamp[set][w] < c->stamp[set][best]) best = w; } \
    return best; } \
  static inline void fill##n(struct level##n *c, u32 line, int way, const u8 *bytes) { \
    u32 set = line & (SETS##n - 1); \
    c->tag[set][way] = line + 1; c->dirty[set][way] = 0; memcpy(c->data[set][way], bytes, LINE); touch##n(c, set, way); }
OPERATIONS(1) OPERATIONS(2) OPERATIONS(3)

/* ---- beside the caches: nothing of this is there without -DHAZARDS */

#ifdef HAZARDS
#define EVENT(m, kind) ((m)->events[kind]++)
#define PLACES (SETS1 * WAYS1 + SETS2 * WAYS2)

static inline int alike(const u8 *a, const u8 *b) {
  u64 differing = 0;
  for (int i = 0; i < LINE; i += 8) {
    u64 x, y;
    memcpy(&x, a + i, 8); memcpy(&y, b + i, 8);
    differing |= x ^ y;
  }
  return !differing;
}

static inline const u8 *truth_of(const struct machine *m, u32 line) { return m->truth + (u64)line * LINE; }

/* D32: a copy has gone; `left` is the copy, or memory, that has its bytes now. */
static inline void look(struct machine *m, u32 line, const u8 *left) {
  if (m->diverged && !alike(left, truth_of(m, line))) die("lost write");
}

/* A copy of level 1 goes; level 2 has the line. True bytes that are there too aren't lost, whatever the truth is. */
static inline void look1(struct machine *m, u32 line, u32 set, int way) {
  const u8 *left = m->l2.data[line & (SETS2 - 1)][probe2(&m->l2, line)];
  if (m->diverged && !(m->is_true[set][way] && alike(left, m->l1.data[set][way]))) look(m, line, left);
}

/* D31: a line comes into level 1. */
static inline void compare(struct machine *m, u32 line, u32 set, int way) {
  m->is_true[set][way] = (u8)alike(m->l1.data[set][way], truth_of(m, line));
}

static inline void observe(struct machine *m, u64 address, u32 set, int way, u64 value) {
  if (m->is_true[set][way]) return;
  u64 truth;
  memcpy(&truth, m->truth + address, 8);
  if (truth != value) die("stale read");
}

static inline void write_truth(struct machine *m, u64 address, u64 value, int past) {
  memcpy(m->truth + address, &value, 8);
  if (past) m->diverged = 1;
}

/* D34: leaves are whole pages, and no access comes between a page's lines. Nobody waits for maintenance of its own. */
static inline void stamp(struct machine *m, u64 address) {
  EVENT(m, MAINTAINED);
  if (address & 4095) return;
  m->stamped = 1; m->stamp[address >> 12] = m->batch; }
static inline void complete(struct machine *m) { m->batch++; }
static inline void check_pending(const struct machine *m, u32 line) {
  if (m->stamped && m->stamp[line / (4096 / LINE)] > m->batch) die("pending"); }

/* D33: a loop over all sets and ways is judged by the lines that are dirty beyond its reach. */
static inline void mark(struct machine *m, u32 place) {
  u64 bit = 1ull << (place & 63);
  EVENT(m, MAINTAINED);
  if (m->marks[place >> 6] & bit) return;
  m->marks[place >> 6] |= bit;
  if (--m->unmarked) return;
  memset(m->marks, 0, sizeof m->marks);
  m->unmarked = PLACES;
  u32 dirty = 0;
  for (int s = 0; s < SETS3; s++) for (int w = 0; w < WAYS3; w++) dirty += m->l3.tag[s][w] && m->l3.dirty[s][w];
  if (dirty > m->left_dirty) m->left_dirty = dirty;
}
#else
#define EVENT(m, kind) ((void)0)
static inline void look(struct machine *m, u32 line, const u8 *left) { (void)m; (void)line; (void)left; }
static inline void look1(struct machine *m, u32 line, u32 set, int way) { (void)m; (void)line; (void)set; (void)way; }
static inline void compare(struct machine *m, u32 line, u32 set, int way) { (void)m; (void)line; (void)set; (void)way; }
static inline void observe(struct machine *m, u64 address, u32 set, int way, u64 value) {
  (void)m; (void)address; (void)set; (void)way; (void)value; }
static inline void write_truth(struct machine *m, u64 address, u64 value, int past) { (void)m; (void)address; (void)value; (void)past; }
static inline void stamp(struct machine *m, u64 address) { (void)m; (void)address; }
static inline void complete(struct machine *m) { (void)m; }
static inline void check_pending(const struct machine *m, u32 line) { (void)m; (void)line; }
static inline void mark(struct machine *m, u32 place) { (void)m; (void)place; }
#endif

static inline void write_memory(struct machine *m, u32 line, const u8 *bytes) {
  m->count[MEMORY_WRITES]++;
  memcpy(m->memory + (u64)line * LINE, bytes, LINE);
}

/* A dirty line of level 1 or 2 moves its bytes one level out, where inclusion has the line. */
static inline void clean1(struct machine *m, u32 line, u32 set, int way) {
  u32 set2 = line & (SETS2 - 1); int at = probe2(&m->l2, line);
  m->l1.count[WB_OUT]++; m->l2.count[WB_IN]++; EVENT(m, WRITEBACK);
  memcpy(m->l2.data[set2][at], m->l1.data[set][way], LINE);
  m->l2.dirty[set2][at] = 1; m->l1.dirty[set][way] = 0;
}

static inline void clean2(struct machine *m, u32 line, u32 set, int way) {
  u32 set3 = line & (SETS3 - 1); int at = probe3(&m->l3, line);
  m->l2.count[WB_OUT]++; m->l3.count[WB_IN]++; EVENT(m, WRITEBACK);
  memcpy(m->l3.data[set3][at], m->l2.data[set][way], LINE);
  m->l3.dirty[set3][at] = 1; m->l2.dirty[set][way] = 0;
}

/* Copies inside level 2 go, and leave their bytes if they are dirty. */
static inline void take_inside2(struct machine *m, u32 line, u32 set, int way) {
  int at = probe1(&m->l1, line); u32 set1 = line & (SETS1 - 1);
  if (at < 0) return;
  m->l1.count[BACK_INVALIDATIONS]++;
  if (m->l1.dirty[set1][at]) { memcpy(m->l2.data[set][way], m->l1.data[set1][at], LINE); m->l2.dirty[set][way] = 1; }
  m->l1.tag[set1][at] = 0;
}

static inline void evict1(struct machine *m, u32 set, int way) {
  u32 tag = m->l1.tag[set][way];
  if (!tag) return;
  m->l1.count[EVICTIONS]++;
  if (m->l1.dirty[set][way]) clean1(m, tag - 1, set, way);
  look1(m, tag - 1, set, way);
  m->l1.tag[set][way] = 0;
}

static inline const u8 *line3(const struct machine *m, u32 line) {
  return m->l3.data[line & (SETS3 - 1)][probe3(&m->l3, line)];
}

static void evict2(struct machine *m, u32 set, int way) {
  u32 tag = m->l2.tag[set][way];
  if (!tag) return;
  m->l2.count[EVICTIONS]++;
  take_inside2(m, tag - 1, set, way);
  if (m->l2.dirty[set][way]) clean2(m, tag - 1, set, way);
  look(m, tag - 1, line3(m, tag - 1));
  m->l2.tag[set][way] = 0;
}

static void evict3(struct machine *m, u32 set, int way) {
  u32 tag = m->l3.tag[set][way];
  if (!tag) return;
  u32 line = tag - 1, set2 = line & (SETS2 - 1);
  m->l3.count[EVICTIONS]++;
  int at = probe2(&m->l2, line);
  if (at >= 0) {
    take_inside2(m, line, set2, at);
    m->l2.count[BACK_INVALIDATIONS]++;
    if (m->l2.dirty[set2][at]) { memcpy(m->l3.data[set][way], m->l2.data[set2][at], LINE); m->l3.dirty[set][way] = 1; }
    m->l2.tag[set2][at] = 0;
  }
  if (m->l3.dirty[set][way]) { m->l3.count[WB_OUT]++; EVENT(m, WRITEBACK); write_memory(m, line, m->l3.data[set][way]); }
  look(m, line, m->memory + (u64)line * LINE);
  m->l3.tag[set][way] = 0;
}

static void fetch_line(struct machine *m, u32 line, int is_store) {
  u32 set2 = line & (SETS2 - 1), set3 = line & (SETS3 - 1);
  m->l2.count[is_store ? STORES : LOADS]++;
  int way2 = probe2(&m->l2, line);
  if (way2 >= 0) { touch2(&m->l2, set2, way2); EVENT(m, HIT2); return; }
  m->l2.count[is_store ? STORE_MISSES : LOAD_MISSES]++;
  way2 = choose2(&m->l2, set2);
  evict2(m, set2, way2);
  m->l3.count[is_store ? STORES : LOADS]++;
  int way3 = probe3(&m->l3, line);
  if (way3 >= 0) { touch3(&m->l3, set3, way3); EVENT(m, HIT3); }
  else {
    m->l3.count[is_store ? STORE_MISSES : LOAD_MISSES]++;
    way3 = choose3(&m->l3, set3);
    evict3(m, set3, way3);
    m->count[MEMORY_READS]++; EVENT(m, FROM_MEMORY);
    fill3(&m->l3, line, way3, m->memory + (u64)line * LINE);
  }
  fill2(&m->l2, line, way2, m->l3.data[set3][way3]);
}

/* A line's set and way in level 1, which has it from here on. */
struct place { u32 set; int way; };

static inline struct place access_line(struct machine *m, u64 address, int is_store) {
  u32 line = (u32)(address / LINE), set = line & (SETS1 - 1);
  m->l1.count[is_store ? STORES : LOADS]++;
  int way = probe1(&m->l1, line);
  if (__builtin_expect(way >= 0, 1)) { touch1(&m->l1, set, way); EVENT(m, HIT1); }
  else {
    m->l1.count[is_store ? STORE_MISSES : LOAD_MISSES]++;
    check_pending(m, line);
    fetch_line(m, line, is_store);
    way = choose1(&m->l1, set);
    evict1(m, set, way);
    fill1(&m->l1, line, way, m->l2.data[line & (SETS2 - 1)][probe2(&m->l2, line)]);
    compare(m, line, set, way);
  }
  if (is_store) m->l1.dirty[set][way] = 1;
  return (struct place){ set, way };
}

static inline u64 load64(struct machine *m, u64 address) {
  u64 value;
  struct place at = access_line(m, address, 0);
  memcpy(&value, m->l1.data[at.set][at.way] + (address & (LINE - 8)), 8);
  observe(m, address, at.set, at.way, value);
  return value;
}

/* DC CIVAC: what the outermost level lacks, inclusion says, nobody has. */
static inline void clean_and_invalidate(struct machine *m, u32 line) {
  int way3 = probe3(&m->l3, line);
  if (way3 < 0) return;
  u32 set1 = line & (SETS1 - 1), set2 = line & (SETS2 - 1), set3 = line & (SETS3 - 1);
  const u8 *newest = 0;
  m->l3.count[PROBES]++;
  if (m->l3.dirty[set3][way3]) { m->l3.count[WB_OUT]++; EVENT(m, WRITEBACK); newest = m->l3.data[set3][way3]; }
  int way2 = probe2(&m->l2, line);
  if (way2 >= 0) {
    m->l2.count[PROBES]++;
    if (m->l2.dirty[set2][way2]) { m->l2.count[WB_OUT]++; EVENT(m, WRITEBACK); newest = m->l2.data[set2][way2]; }
    int way1 = probe1(&m->l1, line);
    if (way1 >= 0) {
      m->l1.count[PROBES]++;
      if (m->l1.dirty[set1][way1]) { m->l1.count[WB_OUT]++; EVENT(m, WRITEBACK); newest = m->l1.data[set1][way1]; }
      m->l1.tag[set1][way1] = 0;
    }
    m->l2.tag[set2][way2] = 0;
  }
  if (newest) write_memory(m, line, newest);
  m->l3.tag[set3][way3] = 0;
  look(m, line, m->memory + (u64)line * LINE);
}

/* DC CISW: level - 1 in bits 3:1, way in the top bits, set above the line's. */
static inline void set_way(struct machine *m, u32 operand) {
  m->count[MAINTENANCE]++;
  u32 level = (operand >> 1) & 7;
  if (level == 0) {
    u32 set = (operand & 0x3fffffff) / LINE, way = operand >> 30;
    if (set >= SETS1) return;
    m->l1.count[PROBES]++;
    mark(m, way * SETS1 + set);
    u32 tag = m->l1.tag[set][way];
    if (!tag) return;
    if (m->l1.dirty[set][way]) clean1(m, tag - 1, set, (int)way);
    look1(m, tag - 1, set, (int)way);
    m->l1.tag[set][way] = 0;
  } else if (level == 1) {
    u32 set = (operand & 0x0fffffff) / LINE, way = operand >> 28;
    if (set >= SETS2) return;
    m->l2.count[PROBES]++;
    mark(m, SETS1 * WAYS1 + way * SETS2 + set);
    u32 tag = m->l2.tag[set][way];
    if (!tag) return;
    take_inside2(m, tag - 1, set, (int)way);
    if (m->l2.dirty[set][way]) clean2(m, tag - 1, set, (int)way);
    look(m, tag - 1, line3(m, tag - 1));
    m->l2.tag[set][way] = 0;
  }
}

/* ---- translation: 48 bits, four levels, 4 KiB granule, both stages */

#define TABLE_MASK 0x0000fffffffff000ull
#define KEY(address, size) ((((address) >> (size)) << 8 | (size)) + 1)

static inline int find_held(const struct held *h, u32 many, u64 key) {
  int at = -1;
  for (u32 i = 0; i < many; i++) if (h->key[i] == key) at = (int)i;
  return at;
}

static inline void keep_held(struct machine *m, struct held *h, u32 many, u64 key, u64 value) {
  if (!many) return;
  u32 best = 0;
  for (u32 i = 0; i < many; i++) {
    if (!h->key[i]) { best = i; break; }
    if (h->stamp[i] < h->stamp[best]) best = i;
  }
  h->key[best] = key; h->value[best] = value; h->stamp[best] = ++m->clock;
}

static inline u64 read_descriptor(struct machine *m, u64 address) {
  m->count[WALK_READS]++; EVENT(m, WALK);
  return load64(m, address);
}

/* A leaf has its span (log2) in bits 7:0 here, and its output above; tables have bit 1 set and leaves of level 3 too. */
static inline u64 leaf_of(u64 d, int shift) {
  if (!(d & (1 << 10))) die("access flag fault");
  return (d & TABLE_MASK & ~((1ull << shift) - 1)) | (u64)shift;
}

static inline int is_table(u64 d, int level) {
  if (!(d & 1)) die("translation fault");
  return (d & 2) && level != 3;
}

static u64 stage_two(struct machine *m, u64 address) {
  static const int sizes[] = {12, 21, 30};
  if (ipa_entries)
    for (int i = 0; i < 3; i++) {
      int at = find_held(&m->ipa, ipa_entries, KEY(address, sizes[i]));
      if (at < 0) continue;
      m->count[IPA_HITS]++;
      m->ipa.stamp[at] = ++m->clock;
      return m->ipa.value[at];
    }
  u64 table = m->reg[R_VTTBR] & TABLE_MASK;
  for (int level = 0;; level++) {
    int shift = 12 + 9 * (3 - level);
    u64 d = read_descriptor(m, table + ((address >> shift) & 511) * 8);
    if (is_table(d, level)) { table = d & TABLE_MASK; continue; }
    u64 leaf = leaf_of(d, shift);
    keep_held(m, &m->ipa, ipa_entries, KEY(address, shift), leaf);
    return leaf;
  }
}

static inline u64 through(u64 leaf, u64 address) {
  u64 inside = (1ull << (leaf & 255)) - 1;
  return (leaf & ~0xffull & ~inside) | (address & inside);
}

static u64 nested_walk(struct machine *m, u64 va) {
  static const int spans[] = {21, 30, 39};
  u64 table = m->reg[R_TTBR0] & TABLE_MASK;
  int level = 0;
  if (walk_entries)
    for (int i = 0; i < 3; i++) {
      int at = find_held(&m->walk, walk_entries, KEY(va, spans[i]));
      if (at < 0) continue;
      m->count[WALK_HITS]++;
      m->walk.stamp[at] = ++m->clock;
      table = m->walk.value[at];
      level = 3 - i;
      break;
    }
  for (;; level++) {
    int shift = 12 + 9 * (3 - level);
    u64 address = table + ((va >> shift) & 511) * 8;
    u64 d = read_descriptor(m, through(stage_two(m, address), address));
    if (is_table(d, level)) {
      table = d & TABLE_MASK;
      keep_held(m, &m->walk, walk_entries, KEY(va, shift), table);
      continue;
    }
    u64 one = leaf_of(d, shift), ipa = through(one, va), two = stage_two(m, ipa);
    u64 size = (one & 255) < (two & 255) ? (one & 255) : (two & 255);
    return (through(two, ipa) & ~((1ull << size) - 1)) | size;
  }
}

static u64 translate(struct machine *m, u64 va) {
  static const int sizes[] = {12, 21, 30};
  m->count[LOOKUPS]++;
  for (int i = 0; i < 3; i++) {
    int at = find_held(&m->micro, MICRO, KEY(va, sizes[i]));
    if (at < 0) continue;
    m->micro.stamp[at] = ++m->clock;
    return through(m->micro.value[at], va);
  }
  m->count[MICRO_MISSES]++;
  for (int i = 0; i < 3; i++) {
    u64 key = KEY(va, sizes[i]);
    u32 set = (u32)(va >> sizes[i]) % MAIN_SETS;
    for (int w = 0; w < MAIN_WAYS; w++) {
      if (m->main_key[set][w] != key) continue;
      m->main_stamp[set][w] = ++m->clock;
      EVENT(m, TLB_HIT);
      keep_held(m, &m->micro, MICRO, key, m->main_value[set][w]);
      return through(m->main_value[set][w], va);
    }
  }
  m->count[MAIN_MISSES]++;
  u64 leaf = nested_walk(m, va), key = KEY(va, leaf & 255);
  u32 set = (u32)(va >> (leaf & 255)) % MAIN_SETS;
  int best = 0;
  for (int w = 0; w < MAIN_WAYS; w++) {
    if (!m->main_key[set][w]) { best = w; break; }
    if (m->main_stamp[set][w] < m->main_stamp[set][best]) best = w;
  }
  m->main_key[set][best] = key; m->main_value[set][best] = leaf; m->main_stamp[set][best] = ++m->clock;
  keep_held(m, &m->micro, MICRO, key, leaf);
  return through(leaf, va);
}

/* ---- FLUSH_STAGE2 */

static void flush_table(struct machine *m, u64 table, int level, u64 low, u64 from, u64 end) {
  int shift = 12 + 9 * (3 - level);
  for (u64 i = from > low ? (from - low) >> shift : 0; i < 512; i++) {
    u64 begins = low + (i << shift), ends = begins + (1ull << shift);
    if (begins >= end) return;
    u64 d = read_descriptor(m, table + i * 8);
    if (!(d & 1)) continue;
    if ((d & 2) && level != 3) { flush_table(m, d & TABLE_MASK, level + 1, begins, from, end); continue; }
    if (((d >> 2) & 15) != 15) continue;
    u64 first = begins > from ? begins : from, last = ends < end ? ends : end;
    u64 physical = (d & TABLE_MASK & ~((1ull << shift) - 1)) - begins;
    m->count[FLUSHED_LEAVES]++;
    for (u64 at = (physical + first) & ~(LINE - 1ull); at < physical + last; at += LINE) {
      m->count[FLUSHED_LINES]++;
      m->count[MAINTENANCE]++;
      stamp(m, at);
      clean_and_invalidate(m, (u32)(at / LINE));
    }
  }
}

/* ---- records */

enum { LOAD = 0, STORE = 1, DC_CISW = 22, DSB = 28, ISB = 29, MSR = 50, FLUSH = 54, WITH = 240, LOW = 241, HIGH = 242 };

static void play(struct machine *m, const u64 *records, u64 many) {
  u64 value = 0, attribute = 0;
  for (u64 i = 0; i < many; i++) {
    u64 operand = records[i] & 0xffffffffffffull;
    u32 operation = (records[i] >> 48) & 0xff;
    switch (operation) {
    case LOAD:
      if (m->reg[R_CONTEXT] == 0x21) operand = translate(m, operand);
      m->observed = load64(m, operand & ~7ull);
      break;
    case STORE: {
      u64 address = operand & ~7ull;
      /* Memory that stores will reach is the process's from here on, as it is the kernel's. */
      volatile u8 *page = m->memory + address;
      *page = *page;
      u8 *at = m->memory + address;
      if (attribute != 2) {
        struct place where = access_line(m, address, 1);
        at = m->l1.data[where.set][where.way] + (address & (LINE - 8));
      }
      memcpy(at, &value, 8);
      write_truth(m, address, value, attribute == 2);
      break;
    }
    case DC_CISW: set_way(m, (u32)operand); break;
    case DSB: complete(m); break;
    case ISB: break;
    case MSR:
      if (operand >= REGISTERS) die("unknown register");
      m->reg[operand] = value;
      break;
    case FLUSH: flush_table(m, m->reg[R_VTTBR] & TABLE_MASK, 0, 0, operand, operand + value); break;
    case WITH: attribute = (operand >> 40) & 15; continue;
    case LOW: value = (value & ~0xffffffffull) | (operand & 0xffffffff); continue;
    case HIGH: value = (value & 0xffffffff) | operand << 32; continue;
    default: die("unknown operation");
    }
    value = attribute = 0;
  }
}

static u64 *read_records(const char *path, u64 *many) {
  FILE *file = fopen(path, "rb");
  if (!file) die(path);
  fseek(file, 0, SEEK_END);
  *many = (u64)ftell(file) / 8;
  rewind(file);
  u64 *records = malloc(*many * 8 + 8);
  if (!records || fread(records, 8, *many, file) != *many) die(path);
  fclose(file);
  return records;
}

static void *zeroes(u64 bytes) {
  void *at = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) die("no memory");
  return at;
}

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 6) die("WALK IPA MACHINES SETUP PLAYED");
  walk_entries = (u32)atoi(argv[1]);
  ipa_entries = (u32)atoi(argv[2]);
  int machines = atoi(argv[3]);
  if (walk_entries > HELD_MAX || ipa_entries > HELD_MAX || machines < 1) die("too many entries or too few machines");
  u64 setup_records, played_records;
  u64 *setup = read_records(argv[4], &setup_records), *played = read_records(argv[5], &played_records);
  struct machine **all = malloc(sizeof *all * (size_t)machines);
  for (int i = 0; i < machines; i++) {
    struct machine *m = all[i] = zeroes(sizeof *m);
    memset(m, 0, sizeof *m); /* Pages of its own, not the system's page of zeroes. */
    m->memory = zeroes(MEMORY);
#ifdef HAZARDS
    m->truth = zeroes(MEMORY);
    m->stamp = zeroes(MEMORY / 4096 * sizeof *m->stamp);
    m->unmarked = PLACES;
#endif
    play(m, setup, setup_records);
    memset(m->count, 0, sizeof m->count);
    memset(m->l1.count, 0, sizeof m->l1.count);
    memset(m->l2.count, 0, sizeof m->l2.count);
    memset(m->l3.count, 0, sizeof m->l3.count);
  }
  double start = seconds();
  for (int i = 0; i < machines; i++) play(all[i], played, played_records);
  double took = seconds() - start;
  struct machine *m = all[0];
  const u64 *levels[] = {m->l1.count, m->l2.count, m->l3.count};
  static const char *const level_names[] = {"L1D", "L2", "L3"};
  printf("{\"seconds\":%.9f,\"lastValue\":\"%llu\",\"counters\":{", took, (unsigned long long)m->observed);
  for (int l = 0; l < 3; l++)
    for (int i = 0; i < CACHE_COUNTERS; i++)
      printf("\"%s %s\":%llu,", level_names[l], cache_names[i], (unsigned long long)levels[l][i]);
  for (int i = 0; i < COUNTERS; i++) printf("%s\"%s\":%llu", i ? "," : "", names[i], (unsigned long long)m->count[i]);
  printf("}}\n");
  return 0;
}
