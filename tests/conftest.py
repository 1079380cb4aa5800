"""What every test needs: nothing global to reset."""
