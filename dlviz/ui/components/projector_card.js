// The graphics card's part of the projector: all points in one call, as dots or as small pictures.

const VERTEX = `#version 300 es
uniform mat4 lens; uniform float size; uniform float space; uniform float tiles; uniform float pictures;
in vec3 place; in vec4 colour; in float front; in float tile;
out vec4 paint; flat out vec2 corner; flat out float wide;
void main() {
  gl_Position = lens * vec4(place, 1.0);
  float grown = size * (1.0 + 0.45 * front);
  wide = space > 0.5 ? clamp(grown * space / max(gl_Position.w, 0.05), 2.0, 160.0) : grown;
  gl_PointSize = wide;
  if (space < 0.5) gl_Position.z = -0.5 * front;
  if (colour.a < 0.01) gl_Position = vec4(2.0, 2.0, 2.0, 1.0);
  paint = colour;
  corner = pictures > 0.5 ? vec2(mod(tile, tiles), floor(tile / tiles)) : vec2(0.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
uniform float pictures; uniform float tiles; uniform vec3 paper; uniform sampler2D atlas;
in vec4 paint; flat in vec2 corner; flat in float wide;
out vec4 drawn;
void main() {
  if (pictures > 0.5) {
    vec2 edge = min(gl_PointCoord, 1.0 - gl_PointCoord) * wide;
    vec3 seen = texture(atlas, (corner + clamp(gl_PointCoord, 0.02, 0.98)) / tiles).rgb;
    drawn = vec4(min(edge.x, edge.y) < 2.0 ? paint.rgb : mix(paper, seen, paint.a), 1.0);
    return;
  }
  float outside = (length(gl_PointCoord - 0.5) - 0.5) * wide;
  float cover = clamp(-outside, 0.0, 1.0);
  if (cover < 0.05) discard;
  vec3 inner = mix(paint.rgb, paper, wide > 6.0 ? clamp(outside + 1.9, 0.0, 1.0) * 0.55 : 0.0);
  drawn = vec4(inner * cover, cover);
}`;

/** Draws all points in one call. */
class Card {
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { antialias: false, alpha: true, preserveDrawingBuffer: true });
    if (!gl) throw new Error("no WebGL 2");
    this.gl = gl;
    this.program = this.link();
    this.buffers = {};
    this.at = (name) => gl.getUniformLocation(this.program, name);
    this.uniforms = Object.fromEntries(["lens", "size", "space", "tiles", "pictures", "paper", "atlas"].map((name) => [name, this.at(name)]));
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA); // colours come multiplied by their cover
    gl.enable(gl.DEPTH_TEST);
    gl.depthFunc(gl.LEQUAL);
  }

  link() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [kind, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
    return program;
  }

  /** Numbers of every point: `wide` of each. */
  put(name, array, wide) {
    const { gl } = this;
    const place = gl.getAttribLocation(this.program, name);
    if (place < 0) return;
    const held = (this.buffers[name] ??= { buffer: gl.createBuffer(), length: -1 });
    gl.bindBuffer(gl.ARRAY_BUFFER, held.buffer);
    if (held.length === array.byteLength) gl.bufferSubData(gl.ARRAY_BUFFER, 0, array);
    else gl.bufferData(gl.ARRAY_BUFFER, array, gl.DYNAMIC_DRAW);
    held.length = array.byteLength;
    const bytes = array instanceof Uint8Array;
    gl.enableVertexAttribArray(place);
    gl.vertexAttribPointer(place, wide, bytes ? gl.UNSIGNED_BYTE : gl.FLOAT, bytes, 0, 0);
  }

  picture(bitmap) {
    const { gl } = this;
    gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
    for (const side of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) gl.texParameteri(gl.TEXTURE_2D, side, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  draw(count, matrix, { size, space, tiles, pictures, paper }) {
    const { gl, uniforms } = this;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.useProgram(this.program);
    gl.uniformMatrix4fv(uniforms.lens, false, matrix);
    gl.uniform1f(uniforms.size, size);
    gl.uniform1f(uniforms.space, space);
    gl.uniform1f(uniforms.tiles, tiles);
    gl.uniform1f(uniforms.pictures, pictures);
    gl.uniform3fv(uniforms.paper, paper.map((value) => value / 255));
    gl.drawArrays(gl.POINTS, 0, count);
  }
}
