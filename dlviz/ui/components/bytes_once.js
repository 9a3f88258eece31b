// Puts what the server sends into the depot: 16 letters of digest, then the block itself.

export default function ({ data }) {
  deposit(new TextDecoder().decode(data.subarray(0, 16)), data.subarray(16));
}
