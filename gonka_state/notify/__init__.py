"""Messages to people: by mail, chat or webhook. The URLs that lead there are secrets."""
