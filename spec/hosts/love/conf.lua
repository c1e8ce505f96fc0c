-- luacheck: globals love
function love.conf(t)
  t.window.width, t.window.height, t.window.vsync = 320, 240, 0
  t.modules.audio = false
  t.modules.joystick = false
end
