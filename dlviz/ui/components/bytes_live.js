// Hands on what the server sends: 16 letters of the channel's name, then the block itself.

export default function ({ data }) {
  publish(new TextDecoder().decode(data.subarray(0, 16)), data.subarray(16));
}
