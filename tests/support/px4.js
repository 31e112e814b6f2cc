// tests/support/px4.js -- an aircraft with PX4's manners, made of an independent
// implementation of MAVLink (npm node-mavlink).
//
//     node px4.js PORT SYSTEM AUTHORISER 1|2
//
// Sends HEARTBEAT and EXTENDED_SYS_STATE ten times a second over UDP in that
// version of the protocol. Lines on standard input: "arm" asks for the arm
// authorisation; "ground", "takeoff", "air", "landing" are the landed state;
// "silent" and "speak". Each frame that comes is printed as one JSON line.
const dgram = require('dgram');
const readline = require('readline');
const { PassThrough } = require('stream');
const {
  MavLinkProtocolV1, MavLinkProtocolV2, MavLinkPacketSplitter,
  MavLinkPacketParser, common, minimal,
} = require('node-mavlink');

const [port, system, authoriser, version] = process.argv.slice(2).map(Number);
const protocol = version === 1 ? new MavLinkProtocolV1(system, 1)
  : new MavLinkProtocolV2(system, 1);
const registry = { ...minimal.REGISTRY, ...common.REGISTRY };
const socket = dgram.createSocket('udp4');
const input = new PassThrough();
const states = { ground: 1, air: 2, takeoff: 3, landing: 4 };
let landed = 1, silent = false, sequence = 0;

function send(message) {
  const bytes = protocol.serialize(message, sequence++ % 256);
  socket.send(bytes, port, '127.0.0.1');
}

function speak() {
  if (silent) return;
  const heartbeat = new minimal.Heartbeat();
  heartbeat.type = 2; // a quadrotor
  heartbeat.autopilot = 12; // PX4
  heartbeat.systemStatus = 4;
  send(heartbeat);
  const state = new common.ExtendedSysState();
  state.landedState = landed;
  send(state);
}

function arm() {
  const command = new common.CommandLong();
  command.command = common.MavCmd.ARM_AUTHORIZATION_REQUEST;
  command.targetSystem = authoriser;
  send(command);
}

input.pipe(new MavLinkPacketSplitter()).pipe(new MavLinkPacketParser())
  .on('data', (packet) => {
    const type = registry[packet.header.msgid];
    const data = type && packet.protocol.data(packet.payload, type);
    console.log(JSON.stringify({
      name: type ? type.MSG_NAME : packet.header.msgid,
      system: packet.header.sysid, ...data,
    }));
  });
socket.on('message', (bytes) => input.write(bytes));
socket.bind(0, '127.0.0.1', () => setInterval(speak, 100));
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'arm') arm();
  else if (line === 'silent') silent = true;
  else if (line === 'speak') silent = false;
  else landed = states[line];
}).on('close', () => process.exit(0));
