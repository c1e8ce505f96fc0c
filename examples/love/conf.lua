function love.conf(t)
  t.identity = "mediastop"
  t.window.title = "mediastop"
  t.window.width, t.window.height = 640, 360
  t.modules.audio, t.modules.joystick, t.modules.physics = false, false, false
end
