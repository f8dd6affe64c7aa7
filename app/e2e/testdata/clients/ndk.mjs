// NDK as a member's client: AUTH, a letter to the DVM, reading, COUNT.
// Reads {relay, secret, dvm, foreign} from standard input, prints what it saw.
import { readFileSync } from "node:fs";
import WebSocket from "ws";
globalThis.WebSocket = WebSocket;
const { default: NDK, NDKEvent, NDKPrivateKeySigner, NDKRelayAuthPolicies, NDKRelaySet, NDKUser, giftUnwrap, giftWrap } = await import("@nostr-dev-kit/ndk");

const { relay: url, secret, dvm, foreign } = JSON.parse(readFileSync(0, "utf8"));
const signer = new NDKPrivateKeySigner(secret);
const me = (await signer.user()).pubkey;
const ndk = new NDK({ explicitRelayUrls: [url], signer, enableOutboxModel: false });
ndk.relayAuthDefaultPolicy = NDKRelayAuthPolicies.signIn({ ndk });
const authed = new Promise((done) => ndk.pool.on("relay:authed", done));
await ndk.connect();
await authed;
const set = NDKRelaySet.fromRelayUrls([url], ndk);
const saw = { letter: "", published: 0, own: [], foreign: 0, count: -1 };

const rumor = new NDKEvent(ndk, { kind: 14, content: "hello from NDK", tags: [["p", dvm]], pubkey: me, created_at: Math.floor(Date.now() / 1000) });
const wrap = await giftWrap(rumor, new NDKUser({ pubkey: dvm }), signer);
saw.published = (await wrap.publish(set, 10_000)).size;
saw.letter = wrap.id;

const options = { closeOnEose: true, groupable: false };
for (const e of await ndk.fetchEvents({ kinds: [1059], "#p": [me] }, options, set)) {
  const r = await giftUnwrap(e, undefined, signer);
  saw.own.push({ kind: r.kind, pubkey: r.pubkey });
}
for (const filter of [{ kinds: [1059], "#p": [foreign] }, { kinds: [1059] }, { "#p": [foreign] }])
  for (const e of await ndk.fetchEvents(filter, options, set)) if (e.tagValue("p") !== me) saw.foreign++;
for (const relay of set.relays) saw.count = await relay.connectivity.count([{ kinds: [1059] }], { id: "n" });
console.log(JSON.stringify(saw));
process.exit(0);
