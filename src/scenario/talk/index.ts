/** The stories of the talk, in its order. */
import type { AnyStory } from "../story.ts";
import setWayIsLocal from "./01-set-way-is-local.ts";
import setWayShortOfPoc from "./02-set-way-short-of-poc.ts";
import noWholeDataCache from "./03-no-whole-data-cache.ts";
import swapOut from "./04-swap-out.ts";
import emulatedVga from "./05-emulated-vga.ts";
import codeLoading from "./07-code-loading.ts";
import nonCoherentDma from "./08-non-coherent-dma.ts";
import coherentDmaCachesOff from "./09-coherent-dma-caches-off.ts";
import mismatchedAliases from "./10-mismatched-aliases.ts";
import forcedCacheable from "./11-forced-cacheable.ts";
import differentHosts from "./12-different-hosts.ts";
import setWayMigrated from "./13-set-way-migrated.ts";
import mixedRootComplexes from "./14-mixed-root-complexes.ts";
import watchAndServer from "./15-watch-and-server.ts";
import pl310 from "./16-pl310.ts";
import cpuPower from "./17-cpu-power.ts";
import tablesWrittenUncached from "./18-tables-written-uncached.ts";
import inheritedFrameBuffer from "./19-inherited-frame-buffer.ts";
import linuxBoot from "./20-linux-boot.ts";
import lockAndMailbox from "./21-lock-and-mailbox.ts";
import selfSnooping from "./22-self-snooping.ts";
import ubootHandOver from "./23-uboot-hand-over.ts";
import secondaryCores from "./24-secondary-cores.ts";

export const TALK: readonly AnyStory[] = [
  setWayIsLocal,
  setWayShortOfPoc,
  noWholeDataCache,
  swapOut,
  ...emulatedVga,
  codeLoading,
  ...nonCoherentDma,
  coherentDmaCachesOff,
  mismatchedAliases,
  forcedCacheable,
  ...differentHosts,
  setWayMigrated,
  ...mixedRootComplexes,
  watchAndServer,
  ...pl310,
  ...cpuPower,
  tablesWrittenUncached,
  ...inheritedFrameBuffer,
  linuxBoot,
  ...lockAndMailbox,
  selfSnooping,
  ...ubootHandOver,
  secondaryCores,
];
