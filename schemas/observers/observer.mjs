// schemas/observers/observer.mjs -- every final block of a network, verified, in
// order, without a hole; from schemas/README.md.  node observer.mjs CLUSTER.json [COUNT]
// after npm install zeromq @msgpack/msgpack libsodium-wrappers
import { readFileSync } from "node:fs";
import * as zmq from "zeromq";
import { encode, decode } from "@msgpack/msgpack";
import sodium from "libsodium-wrappers"; await sodium.ready;
const cluster = JSON.parse(readFileSync(process.argv[2])), count = Number(process.argv[3] ?? 0);
const network = sodium.from_hex(cluster.network), chain = cluster.engine === "pow" ? 1 : 0, me = sodium.crypto_sign_keypair();
const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
let height = 1, parent = cluster.network;
function z85(key) {
	let text = "";
	for (let i = 0; i < 32; i += 4)
		for (let power = 85 ** 4; power >= 1; power /= 85)
			text += letters[Math.floor(Buffer.from(key).readUInt32BE(i) / power) % 85];
	return text;
}
function connect(Kind, node, endpoint) {
	const socket = new Kind({ linger: 0, maxMessageSize: 65569, receiveTimeout: 5000,
		curvePublicKey: z85(sodium.crypto_sign_ed25519_pk_to_curve25519(me.publicKey)),
		curveSecretKey: z85(sodium.crypto_sign_ed25519_sk_to_curve25519(me.privateKey)),
		curveServerKey: z85(sodium.crypto_sign_ed25519_pk_to_curve25519(sodium.from_hex(node.key))) });
	socket.connect(endpoint); return socket;
}
async function ask(link, number, ...body) {
	await link.send([Buffer.alloc(8), encode([1, number, me.publicKey, encode(body), new Uint8Array()])]);
	return decode(decode((await link.receive())[1])[3]);
}
function verify(name, key, body, signature) {
	const said = Buffer.concat([Buffer.from(`perch/1/${name}\0`), network, body]);
	if (!cluster.nodes.some((node) => node.key === sodium.to_hex(key)) ||
		!sodium.crypto_sign_verify_detached(signature, said, key)) throw new Error("not signed by a node");
}
function take(block) { // when it is the next one; false: it is further ahead
	const [header, signature, txs] = decode(block), fields = decode(header);
	if (fields[3] !== height) return fields[3] < height;
	verify("block", fields[6], header, signature);
	if (sodium.to_hex(fields[4]) !== parent) throw new Error("another chain");
	parent = sodium.to_hex(sodium.crypto_generichash(32, header));
	console.log(JSON.stringify({ height, hash: parent, txs: txs.length }));
	return height++ === count ? process.exit() : true;
}
for (let i = 0; ; i = (i + 1) % cluster.nodes.length) {
	const node = cluster.nodes[i], link = connect(zmq.Dealer, node, node.request);
	const hints = connect(zmq.Subscriber, node, node.publish);
	hints.subscribe("block", "status");
	try { // until there is no heartbeat: then another node
		for (await ask(link, 10, 1, "observer.mjs", [], network, me.publicKey); ;) {
			let complete = (await ask(link, 17, chain, height, 256))[2].map(take).length === 0;
			while (complete) {
				const [, number, sender, body, signature] = decode((await hints.receive())[2]);
				verify(number === 60 ? "topic_block" : "status", sender, body, signature);
				const [from, , , , block] = decode(body);
				complete = number !== 60 || from !== chain || take(block);
			}
		}
	} catch (error) { if (error.code !== "EAGAIN") throw error; } finally { link.close(), hints.close(); }
}
